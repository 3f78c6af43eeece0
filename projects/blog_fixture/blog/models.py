"""Who writes, and what was written."""

from datetime import datetime

from blog.extensions import db


class User(db.Model):
    """An author."""

    id = db.Column(db.Integer, primary_key=True)
    username = db.Column(db.String(80), unique=True, nullable=False)
    email = db.Column(db.String(120), unique=True, nullable=False)

    posts = db.relationship('Post')

    def __repr__(self):
        return f'<User {self.username}>'


class Post(db.Model):
    """An article of one author."""

    id = db.Column(db.Integer, primary_key=True)
    title = db.Column(db.String(200), nullable=False)
    body = db.Column(db.Text, nullable=False, default='')
    timestamp = db.Column(db.DateTime, index=True, default=datetime.utcnow())
    user_id = db.Column(db.Integer)

    def __repr__(self):
        return f'<Post {self.title!r}>'

    @property
    def slug(self):
        """The title as it appears in an address."""
        words = ''.join(c if c.isalnum() else ' ' for c in self.title.lower())
        return '-'.join(words.split())

    def to_dict(self):
        return {
            'id': self.id,
            'title': self.title,
            'slug': self.slug,
            'body': self.body,
            'timestamp': self.timestamp.isoformat(),
            'user_id': self.user_id,
        }
