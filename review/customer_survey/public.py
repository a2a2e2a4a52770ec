"""The customers' pages, reached by a link alone: looking changes nothing, sending counts once, no cookie is needed."""

import secrets
from datetime import datetime

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from review.customer_survey import answering
from review.customer_survey.answering import Survey
from review.customer_survey.blueprint import bp
from review.customer_survey.forms import AnswerForm, answer_form
from review.infra.clock import now
from review.infra.gate import open_to_all
from review.infra.i18n import known, request_locale, speak

# These two post without a CSRF token, because customers have no session whose token it could be. Their proof is the
# secret in the address: whoever does not have it can do nothing, and a foreign page does not have it.
EXEMPT = ("customer_survey.answer", "customer_survey.unsubscribe")

BY_LINK = "customers answer by a secret link and have no account"


@bp.after_request
def keep_out_of_indexes(response: Response) -> Response:
    if request.path.startswith("/s/"):
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


@bp.route("/s/<token>", methods=["GET", "POST"])
@open_to_all(BY_LINK)
def answer(token: str) -> ResponseReturnValue:
    """The survey, or the one page that stands for every link that cannot be answered."""
    moment = now()
    with answering.only_looking():
        survey = answering.survey_of(token, moment)
    if survey is not None:
        speak(known(request.args.get("lang")) or survey.locale)
    if request.method == "POST":
        return _sent(token, survey, moment)
    if survey is None:
        return _gone()
    # The stars of a letter only preselect: programs that open every link of a mail must not answer for anybody.
    return _page(survey, answer_form(survey.criteria, form=secrets.token_urlsafe(16), overall=request.args.get("r")))


def _sent(token: str, survey: Survey | None, moment: datetime) -> ResponseReturnValue:
    form = answer_form(survey.criteria if survey else ())
    name = form.form.data or ""
    if survey is None:  # used, perhaps by this very form: a second click reads the same thanks
        with answering.only_looking():
            counted = answering.was_sent(token, name)
    elif form.validate():
        counted = answering.answer(token, name, form.said(), moment)
    else:
        return make_response(_page(survey, form), 422)
    return redirect(url_for("customer_survey.thanks", lang=request_locale()), 303) if counted else _gone()


@bp.get("/s/thanks")
@open_to_all(BY_LINK)
def thanks() -> ResponseReturnValue:
    return _in_chosen_language("customer_survey/thanks.html")


@bp.route("/s/<token>/unsubscribe", methods=["GET", "POST"])
@open_to_all(BY_LINK)
def unsubscribe(token: str) -> ResponseReturnValue:
    """No more invitations. The page's button and a mail program's one click (RFC 8058) send the same."""
    if request.method == "POST":
        answering.unsubscribe(token, now())
        # No redirect: a mail program that sends the one click need not follow any.
        return _in_chosen_language("customer_survey/unsubscribed.html")
    return _in_chosen_language("customer_survey/unsubscribe.html", token=token)


def _in_chosen_language(template: str, **context: object) -> str:
    # Never the customer's own: a page that looks the same for every link cannot know whose it is.
    chosen = known(request.args.get("lang"))
    if chosen:
        speak(chosen)
    return render_template(template, **context)


def _page(survey: Survey, form: AnswerForm) -> str:
    return render_template("customer_survey/answer.html", survey=survey, form=form)


def _gone() -> Response:
    return make_response(_in_chosen_language("customer_survey/gone.html"), 404)
