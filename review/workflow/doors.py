"""The two blueprints of the conductor: HR's desk, and everybody's start page."""

from flask import Blueprint

desk = Blueprint("desk", __name__)
start = Blueprint("start", __name__)
