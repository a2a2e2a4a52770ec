"""The pages of this room: forms, samples and boards, checks, disputes, calibration rounds."""

from review.quality import board_views, check_views, dispute_views, form_views, round_views, sample_views
from review.quality.blueprint import bp

__all__ = ["board_views", "bp", "check_views", "dispute_views", "form_views", "round_views", "sample_views"]
