"""Opens the conductor's doors: importing the views hangs them on the blueprints that the assembly registers."""

from review.workflow import (
    start,
    views,
    views_admin,
    views_count,
    views_end,
    views_launch,
    views_mail,
    views_mail_setup,
    views_reviews,
    views_second,
    views_words,
)
from review.workflow.doors import desk
from review.workflow.doors import start as start_page

__all__ = ["VIEWS", "desk", "start_page"]

VIEWS = (
    start,
    views,
    views_admin,
    views_count,
    views_end,
    views_launch,
    views_mail,
    views_mail_setup,
    views_reviews,
    views_second,
    views_words,
)
