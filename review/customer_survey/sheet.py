"""What the cells of a ticket list mean: one draft a row, or a problem with its row and column."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from review.domain.refusals import Problem
from review.infra.sheets import Row, Table, column_map, day_of, plain

NAMES: Mapping[str, tuple[str, ...]] = {
    "reference": ("工单号", "工单编号", "工单ID", "会话ID", "Ticket", "Ticket number", "Ticket ID", "Reference"),
    "agent": ("客服工号", "工号", "客服邮箱", "客服", "处理人工号", "Agent", "Employee number", "Agent e-mail"),
    "closed_on": ("关闭日期", "关闭时间", "完成时间", "解决时间", "Closed on", "Closed at", "Closed", "Solved at"),
    "customer_no": ("客户编号", "客户ID", "Customer number", "Customer ID", "External ID"),
    "name": ("客户姓名", "客户名称", "客户", "姓名", "Customer name", "Customer", "Requester", "Name"),
    "email": ("邮箱", "客户邮箱", "电子邮件", "E-mail", "Email", "Customer e-mail", "Requester email"),
    "locale": ("语言", "Language", "Locale"),
    "channel": ("渠道", "来源渠道", "Channel", "Via"),
    "kind": ("类型", "工单类型", "问题类型", "Type", "Ticket type", "Category"),
    "subject": ("主题", "标题", "Subject", "Title"),
}
REQUIRED = ("reference", "agent", "closed_on", "name")
LONGEST = {"reference": 64, "customer_no": 64, "name": 80, "email": 254, "channel": 40, "kind": 80, "subject": 200}
# Kept by one word, so that figures by channel and the letters' words hold in both languages; others stay as written.
CHANNELS = {
    "phone": ("电话", "热线", "呼入", "呼叫中心", "Phone", "Voice", "Call", "Hotline"),
    "chat": ("在线", "在线客服", "网页", "网站", "Chat", "Live chat", "Web", "Online"),
    "email": ("邮件", "邮箱", "E-mail", "Mail"),
    "wechat": ("微信", "公众号", "小程序", "企业微信", "WeChat", "WeCom"),
    "app": ("APP", "App内", "应用", "Mobile app"),
    "shop": ("门店", "店铺", "现场", "Shop", "Store"),
}
LOCALES = {"zh": ("中文", "简体中文", "zh-CN", "zh_CN", "Chinese"), "en": ("英文", "英语", "en-US", "en-GB", "English")}
ADDRESS = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")


def _words(table: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {plain(word): key for key, words in table.items() for word in (key, *words)}


_CHANNEL_OF, _LOCALE_OF = _words(CHANNELS), _words(LOCALES)


def names_in(locale: str) -> dict[str, list[str]]:
    """The headings of each column, those in the reader's language first."""
    return {key: sorted(names, key=lambda name: name.isascii() != (locale == "en")) for key, names in NAMES.items()}


@dataclass(frozen=True, slots=True)
class Draft:
    """One ticket as the file tells it. Empty optional fields are None: nothing was said."""

    row: int
    reference: str
    agent_id: int
    closed_on: date
    name: str
    customer_no: str | None
    email: str | None
    locale: str | None
    channel: str
    kind: str
    subject: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """The drafts of a file in its order, and what is wrong with the rows that gave none."""

    drafts: tuple[Draft, ...]
    problems: tuple[Problem, ...]


def read(table: Table, agents: Mapping[str, int], today: date) -> Reading:
    """Every row of the table. `agents` are people by employee number and e-mail, in lower case.

    Raises Invalid when a needed column is missing.
    """
    columns = column_map(table.headings, NAMES, REQUIRED)
    first: dict[str, int] = {}
    drafts, problems = [], []
    for row in table.rows:
        texts = {key: UNPRINTABLE.sub(" ", row.at(column)).strip() for key, column in columns.items()}
        closed = day_of(texts["closed_on"])
        agent = agents.get(texts["agent"].lower())
        wrong = [
            _problem(row, table.headings[columns[key]], code, **params)
            for key, code, params in _wrong(texts, closed, agent, first, today)
        ]
        problems += wrong
        if not wrong and closed is not None and agent is not None:
            first[texts["reference"]] = row.number
            drafts.append(_draft(row, texts, agent, closed))
    return Reading(tuple(drafts), tuple(problems))


def _wrong(
    texts: Mapping[str, str], closed: date | None, agent: int | None, first: Mapping[str, int], today: date
) -> Iterator[tuple[str, str, dict[str, object]]]:
    yield from _misshapen(texts)
    if texts["reference"] in first:
        yield "reference", "twice", {"value": texts["reference"], "first": first[texts["reference"]]}
    if texts["agent"] and agent is None:
        yield "agent", "nobody", {"value": texts["agent"]}
    if texts["closed_on"] and closed is None:
        yield "closed_on", "no_date", {"value": texts["closed_on"]}
    if closed is not None and closed > today:
        yield "closed_on", "in_the_future", {"value": texts["closed_on"]}


def _misshapen(texts: Mapping[str, str]) -> Iterator[tuple[str, str, dict[str, object]]]:
    for key in REQUIRED:
        if not texts[key]:
            yield key, "blank", {}
    for key, longest in LONGEST.items():
        if len(texts.get(key, "")) > longest:
            yield key, "too_long", {"most": longest}
    if texts.get("email") and not ADDRESS.fullmatch(texts["email"].lower()):
        yield "email", "no_address", {"value": texts["email"]}
    if texts.get("locale") and plain(texts["locale"]) not in _LOCALE_OF:
        yield "locale", "no_language", {"value": texts["locale"]}


def _problem(row: Row, column: str, code: str, **params: object) -> Problem:
    told = {"row": row.number, "column": column, **params}
    return Problem(f"customer_survey:{code}", f"{row.number}/{column}", told)


def _draft(row: Row, texts: Mapping[str, str], agent: int, closed: date) -> Draft:
    channel = texts.get("channel", "")
    return Draft(
        row.number,
        texts["reference"],
        agent,
        closed,
        texts["name"],
        texts.get("customer_no") or None,
        texts.get("email", "").lower() or None,
        _LOCALE_OF.get(plain(texts.get("locale", ""))),
        _CHANNEL_OF.get(plain(channel), channel),
        texts.get("kind", ""),
        texts.get("subject") or None,
    )
