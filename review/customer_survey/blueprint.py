"""Where the pages of this room hang: HR's and the customers'."""

from flask import Blueprint

bp = Blueprint("customer_survey", __name__)
