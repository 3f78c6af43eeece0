from flask import Flask


def register_blueprints(app: Flask) -> None:
    from app.blueprints.admin import admin
    from app.blueprints.bookings import bookings
    from app.blueprints.catalog import catalog
    from app.blueprints.health import health
    from app.blueprints.members import members

    app.register_blueprint(health, url_prefix="/health")
    for blueprint in (catalog, bookings, members, admin):
        app.register_blueprint(blueprint, url_prefix="/api/<slug>")
