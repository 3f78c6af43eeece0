"""The JSON interface of the blog."""

from flask import Blueprint, abort, current_app, jsonify, request

from blog.extensions import db
from blog.models import Post, User

bp = Blueprint('blog', __name__)


@bp.get('/posts')
def list_posts():
    """The newest posts first, one page of them."""
    newest = db.select(Post).order_by(Post.timestamp.desc(), Post.id.desc())
    page = db.paginate(newest, per_page=current_app.config['POSTS_PER_PAGE'])
    return jsonify([post.to_dict() for post in page])


@bp.get('/users/<username>/posts')
def list_posts_of_user(username):
    """Every post of one author, oldest first."""
    user = db.one_or_404(db.select(User).filter_by(username=username))
    posts = db.select(Post).filter_by(user_id=user.id).order_by(Post.id)
    return jsonify([post.to_dict() for post in db.session.scalars(posts)])


@bp.post('/users/<username>/posts')
def create_post(username):
    """Store a post of an author."""
    user = db.one_or_404(db.select(User).filter_by(username=username))
    data = request.get_json()
    if not data.get('title'):
        abort(400, 'a post needs a title')
    post = Post(title=data['title'], body=data.get('body', ''), user_id=user.id)
    db.session.add(post)
    db.session.commit()
    return jsonify(post.to_dict()), 201
