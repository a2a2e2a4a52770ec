"""At the door: signing in and out, the language, the first password, a forgotten one, and one's own account."""

import hmac

from flask import Response, current_app, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user, logout_user

from review.domain.access import Actor, Deed
from review.infra.clock import now
from review.infra.gate import allow, open_to_all
from review.infra.house import house
from review.infra.i18n import known
from review.infra.pages import tell
from review.people import accounts, activation, directory
from review.people.blueprint import bp
from review.people.forms import ChangePasswordForm, ForgottenForm, PasswordForm, SignInForm, SlipForm
from review.people.sign_in import SignedIn
from review.people.tables import PersonRow
from review.people.way_back import HOME, safe_way

ONE_YEAR = 365 * 24 * 3600


def _source() -> str:
    """Where a try comes from."""
    return request.remote_addr or ""


def _enter(person: PersonRow) -> None:
    """Begin a session of this person's own; nothing of the one before it but the language stays."""
    locale = session.get("locale")
    session.clear()
    if locale:
        session["locale"] = locale
    session.permanent = True
    login_user(SignedIn(person))


def _refused(page: str, form: SignInForm | SlipForm | ChangePasswordForm, **context: object) -> ResponseReturnValue:
    """The page again with what was typed: 422, or 429 with the time to wait when there were too many tries."""
    wait = next((problem for problem in form.problems if problem.code == "people:wait"), None)
    shown = make_response(render_template(page, form=form, **context), 429 if wait else 422)
    if wait:
        shown.headers["Retry-After"] = str(wait.params["seconds"])
    return shown


def _cookie() -> str:
    return "__Host-known" if current_app.config["SESSION_COOKIE_SECURE"] else "known"


def _mark(person_id: int) -> str:
    return f"{person_id}.{house().links.token('people:known_browser', person_id)}"


def _known_browser() -> int | None:
    """Who signed in on this browser before, if its mark is genuine."""
    mark = request.cookies.get(_cookie(), "")
    person_id = mark.partition(".")[0]
    if not (person_id.isascii() and person_id.isdigit() and len(person_id) < 16):
        return None
    return int(person_id) if hmac.compare_digest(mark.encode(), _mark(int(person_id)).encode()) else None


def _mark_browser(response: Response, person_id: int) -> Response:
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    response.set_cookie(
        _cookie(), _mark(person_id), max_age=ONE_YEAR, secure=secure, httponly=True, samesite="Lax", path="/"
    )
    return response


def _after_sign_in(wanted: str | None) -> str:
    way = safe_way(wanted)
    return HOME if way.startswith(url_for("people.sign_in")) else way


@bp.get("/sign-in")
@open_to_all("nobody is signed in before this page")
def sign_in() -> ResponseReturnValue:
    way = _after_sign_in(request.args.get("next"))
    if current_user.is_authenticated:
        return redirect(way)
    return render_template("people/sign_in.html", form=SignInForm(next=way))


@bp.post("/sign-in")
@open_to_all("nobody is signed in before this page")
def sign_in_now() -> ResponseReturnValue:
    form, entered = SignInForm(), []

    def act() -> None:
        who, password = form.who.data, form.password.data
        found = accounts.authenticate(who, password, now(), source=_source(), known_browser=_known_browser())
        entered.append(found)

    if not form.accept(act):
        return _refused("people/sign_in.html", form)
    _enter(entered[0])
    return _mark_browser(make_response(redirect(_after_sign_in(form.next.data))), entered[0].id)


@bp.post("/sign-out")
@allow(Deed.ACCOUNT_SIGN_OUT)
def sign_out(actor: Actor) -> ResponseReturnValue:
    accounts.end_sessions(actor.person_id)
    locale = session.get("locale")
    logout_user()
    session.clear()
    session["locale"] = locale or actor.locale
    tell("people:signed_out")
    return redirect(url_for("people.sign_in"))


@bp.post("/language")
@open_to_all("the language can be changed before signing in")
def switch_language() -> ResponseReturnValue:
    chosen = known(request.form.get("locale"))
    if chosen:
        session["locale"] = chosen
        if current_user.is_authenticated:
            directory.person(current_user.actor.person_id).locale = chosen
    return redirect(safe_way(request.form.get("next")))


@bp.get("/activate")
@open_to_all("the slip's code is the proof")
def activate() -> ResponseReturnValue:
    return render_template("people/activate.html", form=SlipForm())


@bp.post("/activate")
@open_to_all("the slip's code is the proof")
def activate_now() -> ResponseReturnValue:
    form, entered = SlipForm(), []

    def act() -> None:
        typed = (form.number.data, form.code.data, form.password.data, form.again.data)
        entered.append(activation.activate_by_slip(*typed, now(), source=_source()))

    if not form.accept(act):
        return _refused("people/activate.html", form)
    return _begin(entered[0].id)


@bp.get("/activate/<token>")
@open_to_all("the link's token is the proof")
def activate_by_link(token: str) -> ResponseReturnValue:
    person = activation.opened_by(token, now())
    return render_template("people/choose_password.html", form=PasswordForm(), person=person)


@bp.post("/activate/<token>")
@open_to_all("the link's token is the proof")
def activate_by_link_now(token: str) -> ResponseReturnValue:
    at = now()
    person = activation.opened_by(token, at)
    person_id, form = person.id, PasswordForm()
    if not form.accept(lambda: activation.choose_password(person, form.password.data, form.again.data, at)):
        person = directory.person(person_id)
        return render_template("people/choose_password.html", form=form, person=person), 422
    return _begin(person_id)


def _begin(person_id: int) -> ResponseReturnValue:
    """Straight in with the new password."""
    _enter(directory.person(person_id))
    tell("people:password_set")
    return _mark_browser(make_response(redirect(HOME)), person_id)


@bp.get("/forgotten-password")
@open_to_all("who forgot the password cannot sign in")
def forgotten() -> ResponseReturnValue:
    return render_template("people/forgotten.html", form=ForgottenForm())


@bp.post("/forgotten-password")
@open_to_all("who forgot the password cannot sign in")
def forgotten_now() -> ResponseReturnValue:
    form = ForgottenForm()
    if not form.accept(lambda: activation.forgot(accounts.named(form.who.data), now())):
        return render_template("people/forgotten.html", form=form), 422
    tell("people:forgotten_answer", kind="info")
    return redirect(url_for("people.sign_in"))


@bp.get("/account")
@allow(Deed.ACCOUNT_SEE_OWN)
def account(actor: Actor) -> ResponseReturnValue:
    return render_template("people/account.html", form=ChangePasswordForm(), **_own(actor))


@bp.post("/account")
@allow(Deed.ACCOUNT_SEE_OWN)
def account_now(actor: Actor) -> ResponseReturnValue:
    form = ChangePasswordForm()

    def act() -> None:
        person, typed = directory.person(actor.person_id), (form.current.data, form.password.data, form.again.data)
        accounts.change_password(person, *typed, now(), source=_source())

    if not form.accept(act):
        return _refused("people/account.html", form, **_own(actor))
    _enter(directory.person(actor.person_id))
    tell("people:password_changed")
    return redirect(url_for("people.account"))


def _own(actor: Actor) -> dict[str, object]:
    person = directory.person(actor.person_id)
    above = directory.by_ids([person.supervisor_id] if person.supervisor_id else [])
    paths = directory.department_paths()
    return {
        "person": person,
        "above": above.get(person.supervisor_id or 0),
        "department": paths.get(person.department_id or 0),
    }
