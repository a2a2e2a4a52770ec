"""The web application for any WSGI server: `gunicorn wsgi:app`."""

import sys

from review.app import create_app
from review.domain.refusals import Refusal
from review.infra.words import caller_locale, say_all

try:
    app = create_app()
except Refusal as refusal:  # a server prints the trace of what is raised here; the sentence says what to do
    sys.stderr.write("".join(f"{sentence}\n" for sentence in say_all(refusal, caller_locale())))
    raise
