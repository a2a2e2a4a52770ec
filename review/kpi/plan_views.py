"""The pages of KPI plans: for every reader, at HR's desk, and the editor."""

from review.kpi import plan_desk_views, plan_edit_views, plan_read_views
from review.kpi.plan_blueprint import bp

__all__ = ["bp", "plan_desk_views", "plan_edit_views", "plan_read_views"]
