"""The one place where all rooms meet. The house does not open with an unguarded view."""

import os
from datetime import timedelta

from flask import Blueprint, Flask
from flask_login import current_user
from flask_wtf import CSRFProtect
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix

import review.tables  # noqa: F401  every table must be known before the first query
from review.custody import letters as custody_letters
from review.custody import views as custody
from review.customer_survey import jobs as customer_survey_jobs
from review.customer_survey import letters as customer_survey_letters
from review.customer_survey import views as customer_survey
from review.demo import views as demo
from review.diagnostics import views as diagnostics
from review.follow_up import letters as follow_up_letters
from review.follow_up import views as follow_up
from review.helpdesk import jobs as helpdesk_jobs
from review.helpdesk import views as helpdesk
from review.infra import health, preconditions, restore
from review.infra.assets import init_assets
from review.infra.charts import init_charts
from review.infra.db import db, init_db
from review.infra.errors import init_errors
from review.infra.gate import refuse_unguarded
from review.infra.headers import init_headers
from review.infra.house import Context, House, Worded
from review.infra.i18n import init_i18n
from review.infra.ids import init_ids
from review.infra.jobs import Handler, Progress
from review.infra.pages import init_pages
from review.infra.settings import CAST, ROOT, Settings
from review.infra.tokens import Links
from review.kpi import alert_letters as kpi_letters
from review.kpi import alert_views as indicators
from review.kpi import hint_views  # noqa: F401  its routes stand on the same blueprint
from review.kpi import plan_views as kpi_plan
from review.kpi import sheet_views as kpi_sheets
from review.kpi.beside import figures_beside
from review.navigation import foot_links, links_for
from review.peer_review import views as peer_review
from review.people import letters as people_letters
from review.people import views as people
from review.people.sign_in import init_sign_in
from review.quality import drawing as quality_drawing
from review.quality import letters as quality_letters
from review.quality import views as quality
from review.reports import views as reports
from review.results import letters as results_letters
from review.results import sheet_views as results
from review.schemes import views as schemes
from review.self_review import views as self_review
from review.supervisor_review import note_views as supervisor_review
from review.tickets import jobs as tickets_jobs
from review.tickets import views as tickets
from review.tickets.endpoint import create_endpoint
from review.workflow import pages as workflow
from review.workflow.handlers import HANDLERS as workflow_handlers
from review.workflow.letters import LETTERS as workflow_letters

BLUEPRINTS: tuple[Blueprint, ...] = (
    custody.bp,
    customer_survey.bp,
    diagnostics.bp,
    follow_up.bp,
    health.bp,
    helpdesk.bp,
    indicators.bp,
    kpi_plan.bp,
    kpi_sheets.bp,
    peer_review.bp,
    people.bp,
    quality.bp,
    reports.bp,
    results.bp,
    schemes.bp,
    self_review.bp,
    supervisor_review.bp,
    tickets.bp,
    workflow.desk,
    workflow.start_page,
)

# What the worker can do, by kind of job.
HANDLERS: dict[str, Handler] = {
    **customer_survey_jobs.HANDLERS,
    **helpdesk_jobs.HANDLERS,
    **quality_drawing.HANDLERS,
    **tickets_jobs.HANDLERS,
    **workflow_handlers,
}

# What each letter's templates are filled with, by kind of letter.
LETTERS: dict[str, Context] = {
    **custody_letters.LETTERS,
    **customer_survey_letters.LETTERS,
    **follow_up_letters.LETTERS,
    **kpi_letters.LETTERS,
    **people_letters.LETTERS,
    **quality_letters.LETTERS,
    **results_letters.LETTERS,
    **workflow_letters,
}

# Whose words HR may change, by kind of letter.
WORDED: dict[str, Worded] = {**customer_survey_letters.WORDED}


def create_app(settings: Settings | None = None, *, is_checked: bool = True) -> Flask:
    """The whole application. Without `settings` they come from the environment.

    Raises Invalid where something would give ballots away; only the doctor goes on without that check.
    """
    settings = settings or Settings.from_env(os.environ)
    app = Flask("review", root_path=str(ROOT), template_folder="templates", static_folder="static")
    secure = settings.base_url.startswith("https://")
    app.config.update(
        SECRET_KEY=settings.secret_key,
        TESTING=settings.is_testing,
        SESSION_COOKIE_NAME="__Host-review" if secure else "review",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
        MAX_CONTENT_LENGTH=8 * 2**20,
        MAX_FORM_MEMORY_SIZE=2 * 2**20,
        MAX_FORM_PARTS=5000,
        WTF_CSRF_TIME_LIMIT=None,  # a review may lie open for hours; the token is bound to the session anyway
        WTF_CSRF_SSL_STRICT=secure,
    )
    app.extensions["review"] = House(
        settings,
        Links(settings.keys_dir),
        Progress(settings.data_dir),
        dict(HANDLERS),
        dict(LETTERS),
        dict(WORDED),
        figures_beside,
    )
    if settings.proxies:  # only then: anybody could send these headers to a server that stands alone
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies)  # type: ignore[method-assign]
    restore.finish_interrupted(settings)
    if settings.takes_casts_here:  # before anything of the application sees them: no session, no error page, no log
        app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {f"/{CAST}": create_endpoint(settings)})  # type: ignore[method-assign]
    init_db(app, settings.database_url)
    if is_checked:
        with app.app_context():
            preconditions.require(settings, db.engine)
    init_sign_in(app)
    csrf = CSRFProtect(app)
    init_i18n(app)
    init_assets(app)
    init_charts(app.jinja_env)
    init_pages(app, lambda: current_user.actor if current_user.is_authenticated else None, links_for, foot_links)
    init_errors(app)
    init_headers(app, settings)
    init_ids(app)
    for blueprint in (*BLUEPRINTS, *((demo.bp,) if settings.is_demo else ())):
        app.register_blueprint(blueprint)
    for endpoint in customer_survey.EXEMPT:  # customers have no session; the secret in the address is their proof
        csrf.exempt(app.view_functions[endpoint])
    refuse_unguarded(app)
    return app
