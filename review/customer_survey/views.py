"""The pages of this room: HR's desk, staff's requests, the readings, and what customers reach by their link."""

from review.customer_survey import desk, leaving_out_views, plan_views, public, reading_views
from review.customer_survey.blueprint import bp
from review.customer_survey.public import EXEMPT

__all__ = ["EXEMPT", "bp", "desk", "leaving_out_views", "plan_views", "public", "reading_views"]
