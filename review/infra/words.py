"""Turns a problem's code into a sentence in the reader's language. The sentences stand in templates/<room>/_words.html.

Works without an application too, so that a command can refuse in the caller's language without a database.
"""

from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateNotFound

from review.domain.refusals import Problem, Refusal
from review.infra.i18n import caller_locale, translations
from review.infra.settings import ROOT

TEMPLATES = ROOT / "templates"
SHARED = "layout"

__all__ = ["caller_locale", "say", "say_all"]


@cache
def _environment(locale: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        autoescape=False,  # noqa: S701  plain text: whoever puts it into a page escapes it there
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.globals["locale"] = locale  # for words that are data in both languages, such as the names of rows
    environment.install_gettext_translations(translations(locale), newstyle=True)  # type: ignore[attr-defined]
    return environment


def say(problem: Problem, locale: str) -> str:
    """The sentence for one problem, plain text. A code nobody put into words is shown as it is, never as a crash."""
    room = problem.code.split(":")[0]
    for name in (f"{room}/_words.html", f"{SHARED}/_words.html"):
        try:
            macro = _environment(locale).get_template(name).module.say  # type: ignore[attr-defined]
        except (TemplateNotFound, AttributeError):
            continue
        sentence = " ".join(str(macro(problem.code, dict(problem.params))).split())
        if sentence:
            return sentence
    return problem.code


def say_all(refusal: Refusal, locale: str) -> list[str]:
    """Every reason of a refusal as `place: sentence`, the place left out where there is none."""
    return [
        f"{problem.where}: {say(problem, locale)}" if problem.where else say(problem, locale)
        for problem in refusal.problems
    ]
