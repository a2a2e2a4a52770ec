"""HR writes the words of customers' letters, sees what arrives, and tries it out; every version is kept."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from review.domain.access import Actor, Deed, may
from review.domain.refusals import Invalid, OutOfReach
from review.infra import audit, mail, outbox, wording
from review.infra.audit import AuditRow
from review.infra.clock import now
from review.infra.db import db
from review.infra.gate import Found, allow
from review.infra.headers import allow_style, style_source
from review.infra.house import house
from review.infra.i18n import LOCALES
from review.infra.pages import tell
from review.infra.wording import LetterWordingRow, Words
from review.people.tables import PersonRow
from review.workflow.doors import desk as bp
from review.workflow.letters import WORDS_TRIED
from review.workflow.mail_forms import TryForm, WordsForm

STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
TESTS, WITHIN = 5, timedelta(minutes=10)  # letters one person may try out


@dataclass(frozen=True, slots=True)
class Wanted:
    """A letter whose words may be changed, in one language."""

    kind: str
    locale: str

    @property
    def slug(self) -> str:
        return self.kind.rpartition(":")[2]

    @property
    def about(self) -> str:
        return f"letter:{self.kind}:{self.locale}"


@dataclass(frozen=True, slots=True)
class Preview:
    """A letter as it arrives: `html` is a whole page for a frame, `text` its other half."""

    locale: str
    subject: str
    text: str
    html: str


def find_words(_actor: Actor, slug: str, locale: str) -> Found:
    kinds = {kind.rpartition(":")[2]: kind for kind in house().worded}
    if slug not in kinds or locale not in LOCALES:
        raise OutOfReach("workflow:no_such_letter")
    return Found(Wanted(kinds[slug], locale))


@bp.get("/admin/mail/words")
@allow(Deed.MAIL_WORD)
def letter_words(_actor: Actor) -> ResponseReturnValue:
    """Every letter whose words may be changed, in both languages, and whether anybody did."""
    newest = select(LetterWordingRow.kind, LetterWordingRow.locale, func.max(LetterWordingRow.version))
    found = db.session.execute(newest.group_by(LetterWordingRow.kind, LetterWordingRow.locale))
    versions = {(kind, locale): version for kind, locale, version in found}
    letters = [[Wanted(kind, locale) for locale in LOCALES] for kind in house().worded]
    return render_template("workflow/letter_words.html", letters=letters, versions=versions)


@bp.get("/admin/mail/words/<slug>/<locale>")
@allow(Deed.MAIL_WORD, find=find_words)
def words(actor: Actor, wanted: Wanted) -> ResponseReturnValue:
    said, version = wording.current(wanted.kind, wanted.locale)
    form = WordsForm(**{name: getattr(said, name) for name in wording.FIELDS}, after=str(version))
    return _page(actor, wanted, form, said)


@bp.post("/admin/mail/words/<slug>/<locale>")
@allow(Deed.MAIL_WORD, find=find_words)
def change_words(actor: Actor, wanted: Wanted) -> ResponseReturnValue:
    """Look at what was typed, keep it, or let the default stand again."""
    form, at, act = WordsForm(), now(), request.form.get("act", "keep")
    if act == "preview":
        is_fine = form.accept(lambda: wording.check(wanted.kind, form.words()))
        return _page(actor, wanted, form, form.words() if is_fine else None, status=200 if is_fine else 422)
    said = None if act == "reset" else form.words()

    def keep() -> None:
        version = wording.write(wanted.kind, wanted.locale, said, after=form.version(), by=actor.person_id, now=at)
        audit.record(
            "workflow:mail:worded", wanted.about, by=actor.person_id, at=at, version=version, is_default=not said
        )

    if not form.keep(keep):
        return _page(actor, wanted, form, None, status=form.status)
    tell("workflow:words_kept" if said else "workflow:words_reset")
    return redirect(url_for("desk.words", slug=wanted.slug, locale=wanted.locale))


@bp.post("/admin/mail/words/<slug>/<locale>/test")
@allow(Deed.MAIL_TEST, find=find_words)
def try_words(actor: Actor, wanted: Wanted) -> ResponseReturnValue:
    """Send the letter, marked as a test and about invented facts, to a typed address."""
    form, at = TryForm(), now()

    def send() -> None:
        lately = select(func.count()).where(
            AuditRow.actor_id == actor.person_id, AuditRow.action == "workflow:mail:tested", AuditRow.at > at - WITHIN
        )
        if (db.session.scalar(lately) or 0) >= TESTS:
            raise Invalid("workflow:too_many_tests", "to", most=TESTS)
        params = {"kind": wanted.kind, "locale": wanted.locale}
        about = f"test:{actor.person_id}:{int(at.timestamp() * 1000)}"
        outbox.put(WORDS_TRIED, about, form.to.data, wanted.locale, params, now=at)
        audit.record("workflow:mail:tested", wanted.about, by=actor.person_id, at=at, to=form.to.data)

    if not form.accept(send):
        said, version = wording.current(wanted.kind, wanted.locale)
        shown = WordsForm(formdata=None, **{name: getattr(said, name) for name in wording.FIELDS}, after=str(version))
        return _page(actor, wanted, shown, said, trying=form, status=422)
    tell("workflow:test_sent", to=form.to.data)
    return redirect(url_for("desk.words", slug=wanted.slug, locale=wanted.locale))


def _page(
    actor: Actor,
    wanted: Wanted,
    form: WordsForm,
    said: Words | None,
    *,
    trying: TryForm | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    """The editor with what arrives in both languages; what cannot be filled in is shown as it stands now."""
    others = [locale for locale in LOCALES if locale != wanted.locale]
    previews = [_preview(wanted.kind, wanted.locale, said), *(_preview(wanted.kind, locale, None) for locale in others)]
    spec = house().worded[wanted.kind]
    page = render_template(
        "workflow/words.html",
        wanted=wanted,
        form=form,
        trying=trying or TryForm(formdata=None),
        previews=previews,
        is_typed=said is not None and request.method == "POST" and trying is None,
        allowed=(*spec.allowed, *spec.made),
        versions=_versions(wanted),
        others=[Wanted(wanted.kind, locale) for locale in others],
        may_test=may(actor, Deed.MAIL_TEST),
    )
    return allow_style(make_response(page, status), _style(previews), house().settings)


def _preview(kind: str, locale: str, said: Words | None) -> Preview:
    context = wording.sample(kind, locale)
    subject, text, html = mail.parts(kind, context | ({"words": said} if said else {}), locale)
    policy = f"default-src 'none'; style-src {style_source(_style_of(html))}"
    own = f'<head><meta http-equiv="Content-Security-Policy" content="{policy}">'
    return Preview(locale, subject, text, html.replace("<head>", own, 1))


def _style_of(html: str) -> str:
    found = STYLE.search(html)
    return found[1] if found else ""


def _style(previews: Sequence[Preview]) -> str:
    return _style_of(previews[0].html)


def _versions(wanted: Wanted) -> Sequence[tuple[LetterWordingRow, str]]:
    query = (
        select(LetterWordingRow, PersonRow.name)
        .join(PersonRow, PersonRow.id == LetterWordingRow.written_by)
        .where(LetterWordingRow.kind == wanted.kind, LetterWordingRow.locale == wanted.locale)
        .order_by(LetterWordingRow.version.desc())
        .limit(50)
    )
    return [(row, name) for row, name in db.session.execute(query)]
