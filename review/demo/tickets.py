"""The tickets of a period, as the file a ticket system would export."""

import random
from collections.abc import Iterator
from datetime import date, timedelta

from review.demo.company import GIVEN, SURNAMES, Colleague
from review.domain.period import Period

CHANNELS = ("电话", "在线", "微信", "邮件")
KINDS = ("退换货", "物流查询", "产品咨询", "发票", "故障报修")
MOST_ROWS = 40_000  # an import takes 50,000 rows and 8 MB
HEADINGS = "工单号,客服工号,关闭日期,客户编号,客户姓名,邮箱,语言,渠道,类型"


def tickets_csv(
    agents: list[Colleague], period: Period, last_day: date, seed: str, each: int, with_email: float
) -> bytes:
    """About `each` tickets an agent, closed in the period and no later than `last_day`, each with its own customer.

    `with_email` is the share of customers with an address; the others are reached over the gateway's list of links.
    """
    dice = random.Random(seed)
    days = max(1, (min(period.end, last_day) - period.start).days)
    lines, number = [HEADINGS], 0
    for agent in agents:
        for _ in range(dice.randint(each - 2, each + 4)):
            number += 1
            key = f"{period.key}-{number:06}".replace("/", "-")
            closed = period.start + timedelta(days=dice.randint(0, days))
            name = dice.choice(SURNAMES) + dice.choice(GIVEN)
            email = f"kh{number}.{period.start:%y%m}@customer.example.com" if dice.random() < with_email else ""
            language = "英文" if dice.random() < 0.04 else "中文"
            cells = (f"T{key}", agent.employee_no, f"{closed}", f"C{key}", name, email, language)
            lines.append(",".join((*cells, dice.choice(CHANNELS), dice.choice(KINDS))))
    return ("\ufeff" + "\n".join(lines) + "\n").encode()


def in_portions(file: bytes, most: int = MOST_ROWS) -> Iterator[bytes]:
    """The same rows in files small enough to be imported, each under the headings."""
    headings, *rows = file.splitlines(keepends=True)
    for start in range(0, len(rows), most):
        yield headings + b"".join(rows[start : start + most])
