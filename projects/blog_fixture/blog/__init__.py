"""A small blog: people write posts."""

from flask import Flask

from blog.extensions import db


def create_app(config=None):
    """Create the application; `config` overrides the defaults."""
    app = Flask(__name__)
    app.config.from_mapping(
        SECRET_KEY='dev',
        SQLALCHEMY_DATABASE_URI='sqlite://',
        POSTS_PER_PAGE=20,
    )
    if config:
        app.config.from_mapping(config)

    db.init_app(app)

    from blog import views

    app.register_blueprint(views.bp)
    return app
