"""Pushes the request context that the ordered statement lacks."""

from __future__ import annotations


def start(tools, orders):
    apps = tools.use("flask-apps")
    return apps.pusher(orders, "request") if apps is not None else None
