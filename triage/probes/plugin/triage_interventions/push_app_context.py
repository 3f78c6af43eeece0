"""Pushes the application context that the ordered statement lacks."""

from __future__ import annotations


def start(tools, orders):
    apps = tools.use("flask-apps")
    return apps.pusher(orders, "application") if apps is not None else None
