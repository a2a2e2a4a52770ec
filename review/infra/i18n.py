"""Two languages from hand-kept catalogues, one folder a room, read straight from their .po files.

English stands in the templates; Chinese in `review/translations/<room>/zh/LC_MESSAGES/messages.po`. Reading .po at
start-up (some 60 ms) saves a build step, and a wheel or a checkout can never carry a stale .mo.
"""

import os
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, g, has_request_context, request, session
from flask_babel import Babel, Domain, get_locale, refresh
from flask_login import current_user

CATALOGUES = Path(__file__).resolve().parents[1] / "translations"
LOCALES = ("zh", "en")
DEFAULT = "zh"


@cache
def translations(locale: str) -> NullTranslations:
    """All rooms' messages of one language in one catalogue; English needs none."""
    if locale == "en":
        return NullTranslations()
    merged = Translations()
    for path in sorted(CATALOGUES.glob(f"*/{locale}/LC_MESSAGES/messages.po")):
        with path.open("rb") as source:
            catalogue = read_po(source, locale=locale)
        compiled = BytesIO()
        write_mo(compiled, catalogue)
        compiled.seek(0)
        loaded = Translations(compiled)
        merged.merge(loaded)
        merged.plural = loaded.plural  # merge() copies the messages but not the plural rule
    return merged


class _Catalogues(Domain):
    """Flask-Babel's lookup, fed from `translations`."""

    def get_translations(self) -> NullTranslations:
        locale = get_locale()
        return translations(locale.language if locale else DEFAULT)


def known(locale: str | None) -> str | None:
    """`zh` or `en` for anything that names one of them (`zh-CN`, `en_GB.UTF-8`), else None."""
    language = (locale or "").replace("_", "-").split("-")[0].split(".")[0].lower()
    return language if language in LOCALES else None


def request_locale() -> str:
    """The language of this request: the person's own, else what they chose here, else the browser's, else Chinese."""
    if not has_request_context():
        return DEFAULT
    if "locale" in g:
        return str(g.locale)
    if current_user and current_user.is_authenticated:
        return str(current_user.actor.locale)
    chosen = known(request.args.get("lang")) or known(session.get("locale"))
    if chosen:
        return chosen
    for value in request.accept_languages.values():
        if known(value):
            return str(known(value))
    return DEFAULT


def speak(locale: str) -> None:
    """Answer this request in `locale`, whoever asks: customers have no account, but we know their language."""
    g.locale = locale
    refresh()


def caller_locale(environ: dict[str, str] | None = None) -> str:
    """The language of whoever runs a command, from LC_ALL, LC_MESSAGES, LANG; English for the C locale."""
    environ = dict(os.environ) if environ is None else environ
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = environ.get(name)
        if value:
            return known(value) or "en"
    return DEFAULT


def init_i18n(app: Flask) -> None:
    """Give templates `_`, `ngettext` and `{% trans %}` over the rooms' catalogues."""
    babel = Babel(app, locale_selector=request_locale, default_locale=DEFAULT, default_timezone="UTC")
    babel.domain_instance = _Catalogues()
    app.jinja_env.policies["ext.i18n.trimmed"] = True
