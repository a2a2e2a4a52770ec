"""The blueprint on which the pages of KPI plans hang."""

from flask import Blueprint

bp = Blueprint("kpi_plan", __name__)
