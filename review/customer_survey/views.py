"""The pages of this room: HR's desk, and what customers reach by their link."""

from review.customer_survey import desk, public
from review.customer_survey.blueprint import bp
from review.customer_survey.public import EXEMPT

__all__ = ["EXEMPT", "bp", "desk", "public"]
