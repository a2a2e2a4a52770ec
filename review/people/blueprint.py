"""The room's blueprint, by itself so that each file of views can hang its routes on it."""

from flask import Blueprint

bp = Blueprint("people", __name__)
