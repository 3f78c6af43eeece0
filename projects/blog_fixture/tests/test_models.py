"""Tests of the models: timestamps of posts, and posts and their authors."""

import time
from datetime import datetime

import pytest
from sqlalchemy.exc import IntegrityError

from blog.models import Post, User


def make_user(session, username='ada'):
    """Store an author."""
    user = User(username=username, email=f'{username}@example.com')
    session.add(user)
    session.commit()
    return user


class TestPostTimestamp:
    """A post knows when it was written."""

    def test_timestamp_is_set_on_commit(self, session):
        user = make_user(session)
        before = datetime.utcnow()
        post = Post(title='First', user_id=user.id)
        session.add(post)
        session.commit()

        assert post.timestamp is not None
        assert before <= post.timestamp <= datetime.utcnow()

    def test_timestamp_differs_between_posts(self, session):
        user = make_user(session)
        first = Post(title='First', user_id=user.id)
        session.add(first)
        session.commit()
        time.sleep(0.01)
        second = Post(title='Second', user_id=user.id)
        session.add(second)
        session.commit()

        assert second.timestamp > first.timestamp

    def test_timestamp_orders_posts(self, session):
        user = make_user(session)
        for title in ('one', 'two', 'three'):
            session.add(Post(title=title, user_id=user.id))
            session.commit()
            time.sleep(0.01)

        newest_first = session.query(Post).order_by(Post.timestamp.desc()).all()
        assert [post.title for post in newest_first] == ['three', 'two', 'one']
        assert len({post.timestamp for post in newest_first}) == 3

    def test_timestamp_in_json(self, app, session):
        make_user(session, 'grace')
        before = datetime.utcnow()
        response = app.test_client().post(
            '/users/grace/posts', json={'title': 'Hello, world!'}
        )

        assert response.status_code == 201
        assert response.json['slug'] == 'hello-world'
        assert datetime.fromisoformat(response.json['timestamp']) >= before


class TestPostAuthor:
    """A post belongs to the user who wrote it."""

    def test_post_needs_a_user(self, session):
        make_user(session)
        session.add(Post(title='Anonymous'))

        with pytest.raises(IntegrityError):
            session.commit()

    def test_post_of_unknown_user_is_refused(self, session):
        make_user(session)
        session.add(Post(title='Ghost', user_id=4711))

        with pytest.raises(IntegrityError):
            session.commit()

    def test_user_id_refers_to_user(self, session):
        make_user(session)
        keys = Post.__table__.c.user_id.foreign_keys

        assert [key.target_fullname for key in keys] == ['user.id']

    def test_author_of_post(self, session):
        user = make_user(session)
        post = Post(title='Mine', user_id=user.id)
        session.add(post)
        session.commit()

        assert post.author is user

    def test_post_made_with_author(self, session):
        user = make_user(session)
        post = Post(title='Mine', author=user)
        session.add(post)
        session.commit()

        assert post.user_id == user.id
        assert list(user.posts) == [post]

    def test_posts_of_user_can_be_filtered(self, session):
        ada, grace = make_user(session, 'ada'), make_user(session, 'grace')
        session.add_all([
            Post(title='Engines', user_id=ada.id),
            Post(title='Numbers', user_id=ada.id),
            Post(title='Compilers', user_id=grace.id),
        ])
        session.commit()

        assert ada.posts.count() == 2
        assert ada.posts.filter_by(title='Numbers').one().author is ada
        assert [post.title for post in grace.posts] == ['Compilers']
