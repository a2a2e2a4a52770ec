"""The conductor's jobs by kind, for the assembly."""

from review.infra.jobs import Handler
from review.kpi import filling
from review.workflow import close, kpi_filling, launch, plan, publish, restored

HANDLERS: dict[str, Handler] = {
    plan.KIND: plan.do_plan,
    launch.KIND: launch.do_launch,
    close.COUNT: close.do_count,
    filling.KIND: kpi_filling.do_fill,
    publish.KIND: publish.do_publish,
    publish.DISCARD: publish.do_discard,
    restored.SETTLE: restored.do_settle,
    restored.REOPEN: restored.do_reopen,
}
