"""What a ticket system's records say, and the indicators (考核指标) that follow from them: names and units only."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction


class TicketSystem(StrEnum):
    """Whose file it is; the spelling of `import kpi --from`. `list` is the plain list of customers for surveys."""

    ZENDESK = "zendesk"
    ZOHO = "zoho"
    SOBOT = "sobot"
    JIANDAOYUN = "jiandaoyun"
    KINGDEE = "kingdee"
    QIDIAN = "qidian"
    YOZO = "yozo"
    WECOM = "wecom"
    SHEET = "sheet"
    LIST = "list"


class TicketStatus(StrEnum):
    """Whether a case is settled; a system's many states come down to these."""

    OPEN = "open"
    SOLVED = "solved"


class Csat(StrEnum):
    """What became of the question whether the customer was satisfied. Whoever did not answer counts as offered."""

    NOT_OFFERED = "not_offered"
    OFFERED = "offered"
    GOOD = "good"
    NEUTRAL = "neutral"
    BAD = "bad"


class ImportState(StrEnum):
    """How far a file is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"


class Unit(StrEnum):
    """What an indicator's figure is counted in."""

    COUNT = "count"
    SECONDS = "seconds"
    PERCENT = "percent"
    POINTS = "points"


class Indicator(StrEnum):
    """The indicators the field knows. Those in `FROM_TICKETS` follow from tickets; the others are brought in."""

    VOLUME = "volume"  # 工单量, weighted by difficulty
    FIRST_RESPONSE = "first_response"  # 首次响应时长
    CUSTOMER_WAIT = "customer_wait"  # 客户等待时长
    RESOLUTION_TIME = "resolution_time"  # 解决时长
    FIRST_CONTACT_RESOLUTION = "first_contact_resolution"  # 一次解决率
    RESOLUTION_RATE = "resolution_rate"  # 解决率
    REOPEN_RATE = "reopen_rate"  # 重开率
    COMPLAINT_RATE = "complaint_rate"  # 投诉率
    BAD_RATE = "bad_rate"  # 中差评率: neutral and bad among those who answered
    SATISFACTION = "satisfaction"  # 满意度: good among those who answered
    CSAT_POINTS = "csat_points"  # 满意度均分: mean of 0-100
    FOLLOW_UP_RATE = "follow_up_rate"  # 回访率
    ERROR_RATE = "error_rate"  # 差错率
    COMPLIANCE = "compliance"  # 规范性, from quality checks
    PROACTIVE = "proactive"  # 主动服务
    SALES = "sales"
    CONVERSION = "conversion"
    REPEAT_PURCHASE = "repeat_purchase"
    KNOWLEDGE = "knowledge"  # 知识库贡献
    TRAINING = "training"


UNITS: dict[Indicator, Unit] = {
    Indicator.VOLUME: Unit.COUNT,
    Indicator.FIRST_RESPONSE: Unit.SECONDS,
    Indicator.CUSTOMER_WAIT: Unit.SECONDS,
    Indicator.RESOLUTION_TIME: Unit.SECONDS,
    Indicator.FIRST_CONTACT_RESOLUTION: Unit.PERCENT,
    Indicator.RESOLUTION_RATE: Unit.PERCENT,
    Indicator.REOPEN_RATE: Unit.PERCENT,
    Indicator.COMPLAINT_RATE: Unit.PERCENT,
    Indicator.BAD_RATE: Unit.PERCENT,
    Indicator.SATISFACTION: Unit.PERCENT,
    Indicator.CSAT_POINTS: Unit.POINTS,
    Indicator.FOLLOW_UP_RATE: Unit.PERCENT,
    Indicator.ERROR_RATE: Unit.PERCENT,
    Indicator.COMPLIANCE: Unit.POINTS,
    Indicator.PROACTIVE: Unit.COUNT,
    Indicator.SALES: Unit.COUNT,
    Indicator.CONVERSION: Unit.PERCENT,
    Indicator.REPEAT_PURCHASE: Unit.PERCENT,
    Indicator.KNOWLEDGE: Unit.COUNT,
    Indicator.TRAINING: Unit.COUNT,
}
FROM_TICKETS = frozenset(
    {
        Indicator.VOLUME,
        Indicator.FIRST_RESPONSE,
        Indicator.CUSTOMER_WAIT,
        Indicator.RESOLUTION_TIME,
        Indicator.FIRST_CONTACT_RESOLUTION,
        Indicator.RESOLUTION_RATE,
        Indicator.REOPEN_RATE,
        Indicator.COMPLAINT_RATE,
        Indicator.BAD_RATE,
        Indicator.SATISFACTION,
        Indicator.CSAT_POINTS,
    }
)


@dataclass(frozen=True, slots=True)
class Measured:
    """An indicator of one agent over one span: `value` exactly, in the indicator's unit, over `count` of something.

    `count` is how many tickets, answers or checks it rests on; a figure over none has no value.
    """

    value: Fraction | None
    count: Fraction
