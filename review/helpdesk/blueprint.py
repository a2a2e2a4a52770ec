"""Where the pages of this room hang, and the one route that takes large files."""

from flask import Blueprint, request
from flask_login import current_user

from review.domain.access import Deed, may
from review.helpdesk.limits import LIMITS

bp = Blueprint("helpdesk", __name__)

UPLOAD = "helpdesk.upload"
AROUND = 2**20  # what a form needs beside its file


@bp.url_value_preprocessor
def _allow_large_files(endpoint: str | None, _values: object) -> None:
    """Before anything reads the body, and only for who may import: a stranger's gigabyte is refused as ever."""
    if endpoint == UPLOAD and current_user.is_authenticated and may(current_user.actor, Deed.RECORDS_IMPORT):
        request.max_content_length = LIMITS.file_bytes + AROUND
