"""For any WSGI server: the web application (`gunicorn wsgi:app`), and the slot for sealed ballots (`wsgi:cast`)."""

import os
import sys

from review.app import create_app
from review.domain.refusals import Refusal
from review.infra.settings import Settings
from review.infra.words import caller_locale, say_all
from review.tickets.endpoint import create_endpoint

try:
    settings = Settings.from_env(os.environ)
    app = create_app(settings)
    cast = create_endpoint(settings)
except Refusal as refusal:  # a server prints the trace of what is raised here; the sentence says what to do
    sys.stderr.write("".join(f"{sentence}\n" for sentence in say_all(refusal, caller_locale())))
    raise
