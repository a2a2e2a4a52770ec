"""Ugly but realistic exports of every ticket system, made from tickets whose truth is known.

    tickets = tickets_of(["Ada", "Bo"], 40, seed=3)
    data = zendesk_csv(tickets)          # bytes as the system would export them
    assert_same(row, ticket)             # what came into the database is what was meant

Durations are whole minutes where a system counts minutes, so that nothing is lost on the way.
"""

import csv
import io
import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl

from review.domain.records import Csat, TicketStatus
from review.helpdesk.tables import TicketRow


def heads(line: str) -> list[str]:
    """Headings parted by bars."""
    return line.split("|")


SHANGHAI = ZoneInfo("Asia/Shanghai")
POINTS = {5: 100, 4: 80, 3: 60, 2: 40, 1: 20}
CSAT_OF = {5: Csat.GOOD, 4: Csat.GOOD, 3: Csat.NEUTRAL, 2: Csat.BAD, 1: Csat.BAD}


@dataclass(frozen=True)
class Ticket:
    """What really happened. `stars` is None where the customer did not answer; `is_asked` whether they were asked."""

    number: int
    agent: str
    opened: datetime
    closed: datetime | None
    first_response: int
    resolution: int | None
    channel: str
    kind: str
    stars: int | None
    is_asked: bool
    is_complaint: bool
    reopens: int
    replies: int
    customer: str

    @property
    def email(self) -> str:
        return f"{self.customer}@customer.example"


def tickets_of(agents: Sequence[str], count: int, seed: int, start: int = 1000) -> list[Ticket]:
    """So many tickets of March 2026, some still open."""
    dice = random.Random(seed)
    made = []
    for number in range(start, start + count):
        opened = datetime(2026, 3, 1, tzinfo=SHANGHAI) + timedelta(minutes=dice.randrange(28 * 24 * 60))
        is_open = dice.random() < 0.15
        resolution = dice.randrange(5, 3000)
        is_asked = not is_open and dice.random() < 0.8
        made.append(
            Ticket(
                number=number,
                agent=dice.choice(agents),
                opened=opened,
                closed=None if is_open else opened + timedelta(minutes=resolution),
                first_response=dice.randrange(1, 90) * 60,
                resolution=None if is_open else resolution * 60,
                channel=dice.choice(["phone", "chat", "email", "wechat"]),
                kind=dice.choice(["退货", "安装", "咨询", "发票"]),
                stars=dice.choice([5, 5, 4, 3, 2, 1]) if is_asked and dice.random() < 0.7 else None,
                is_asked=is_asked,
                is_complaint=dice.random() < 0.1,
                reopens=dice.choice([0, 0, 0, 1, 2]),
                replies=dice.randrange(1, 6),
                customer=f"c{dice.randrange(10 * count)}",
            )
        )
    return made


def assert_same(row: TicketRow, ticket: Ticket, *, stars: Callable[[Ticket], tuple[Any, Any]] | None = None) -> None:
    """The row tells the ticket's truth; `stars` says what csat and points a coarser scale leaves of it."""
    where = f"ticket {ticket.number}"
    assert row.status is (TicketStatus.SOLVED if ticket.closed else TicketStatus.OPEN), where
    assert row.opened_at == ticket.opened.astimezone(UTC), where
    assert row.closed_at == (ticket.closed.astimezone(UTC) if ticket.closed else None), where
    assert row.closed_on == (ticket.closed.date() if ticket.closed else None), where
    assert (row.first_response, row.resolution) == (ticket.first_response, ticket.resolution), where
    assert (row.channel, row.is_complaint) == (ticket.channel, ticket.is_complaint), where
    assert (row.csat, row.csat_points) == (stars or five_stars)(ticket), where


def five_stars(ticket: Ticket) -> tuple[Any, Any]:
    if ticket.stars is None:
        return (Csat.OFFERED if ticket.is_asked else None), None
    return CSAT_OF[ticket.stars], POINTS[ticket.stars]


def good_or_bad(ticket: Ticket) -> tuple[Any, Any]:
    """What is left where customers may only say good or bad (three stars count as bad)."""
    if ticket.stars is None:
        return (Csat.OFFERED if ticket.is_asked else Csat.NOT_OFFERED), None
    return (Csat.GOOD, 100) if ticket.stars > 3 else (Csat.BAD, 0)


def good_okay_bad(ticket: Ticket) -> tuple[Any, Any]:
    if ticket.stars is None:
        return None, None
    return {5: (Csat.GOOD, 100), 4: (Csat.GOOD, 100), 3: (Csat.NEUTRAL, 50)}.get(ticket.stars, (Csat.BAD, 0))


# ---- Zendesk --------------------------------------------------------------------------------------------------------

ZENDESK_HEADER = [
    "Summation column",
    "Id",
    "Requester",
    "Requester id",
    "Requester external id",
    "Requester email",
    "Requester domain",
    "Submitter",
    "Assignee",
    "Group",
    "Subject",
    "Tags",
    "Status",
    "Priority",
    "Via",
    "Ticket type",
    "Created at",
    "Updated at",
    "Assigned at",
    "Organization",
    "Due date",
    "Initially assigned at",
    "Solved at",
    "Resolution time",
    "Satisfaction Score",
    "Group stations",
    "Assignee stations",
    "Reopens",
    "Replies",
    "First reply time in minutes",
    "First reply time in minutes within business hours",
    "First resolution time in minutes",
    "First resolution time in minutes within business hours",
    "Full resolution time in minutes",
    "Full resolution time in minutes within business hours",
    "Agent wait time in minutes",
    "Agent wait time in minutes within business hours",
    "Requester wait time in minutes",
    "Requester wait time in minutes within business hours",
    "On hold time in minutes",
    "On hold time in minutes within business hours",
]
VIA = {"phone": "Phone call (inbound)", "chat": "Web", "email": "Mail", "wechat": "WeChat"}


def _stamp(at: datetime | None, form: str = "%Y-%m-%d %H:%M") -> str:
    return at.strftime(form) if at else ""


def _minutes(seconds: int | None) -> str:
    return "" if seconds is None else str(seconds // 60)


def zendesk_csv(tickets: Iterable[Ticket], *, with_sums: bool = True) -> bytes:
    """A view as CSV, with a custom column behind and the line of sums below."""
    out = io.StringIO()
    header = [*ZENDESK_HEADER, "Product line [list]"]
    writer = csv.DictWriter(out, header)
    writer.writeheader()
    for ticket in tickets:
        score = {(Csat.GOOD): "Good", Csat.BAD: "Bad", Csat.OFFERED: "Offered", Csat.NOT_OFFERED: "Not Offered"}
        writer.writerow(
            {
                "Summation column": 1,
                "Id": ticket.number,
                "Requester": ticket.customer.upper(),
                "Requester id": f"36{ticket.customer[1:]:0>9}",
                "Requester email": ticket.email,
                "Assignee": ticket.agent,
                "Group": "Support",
                "Subject": "=HYPERLINK(1)" if ticket.number % 7 == 0 else f'About "{ticket.kind}", again',
                "Tags": "vip complaint" if ticket.is_complaint else "vip",
                "Status": "Closed" if ticket.closed else "Pending",
                "Priority": "Normal",
                "Via": VIA[ticket.channel],
                "Ticket type": "Question",
                "Created at": _stamp(ticket.opened),
                "Updated at": _stamp(ticket.closed or ticket.opened),
                "Solved at": _stamp(ticket.closed),
                "Resolution time": "" if ticket.resolution is None else f"{ticket.resolution / 3600:.2f}",
                "Satisfaction Score": score[good_or_bad(ticket)[0]],
                "Assignee stations": 1,
                "Reopens": ticket.reopens,
                "Replies": ticket.replies,
                "First reply time in minutes": _minutes(ticket.first_response),
                "First reply time in minutes within business hours": _minutes(ticket.first_response),
                "Full resolution time in minutes": _minutes(ticket.resolution),
                "Requester wait time in minutes": "12",
                "Product line [list]": "A",
            }
        )
    if with_sums:
        writer.writerow({"Summation column": 40, "Reopens": 12, "Replies": 99, "First reply time in minutes": 1234})
    return out.getvalue().encode()


def zendesk_ticket(ticket: Ticket, ids: Mapping[str, int]) -> dict[str, Any]:
    score = {Csat.GOOD: "good", Csat.BAD: "bad", Csat.OFFERED: "offered", Csat.NOT_OFFERED: "unoffered"}
    return {
        "url": f"https://x.zendesk.com/api/v2/tickets/{ticket.number}.json",
        "id": ticket.number,
        "external_id": None,
        "via": {"channel": VIA[ticket.channel].split(" ")[0].lower(), "source": {"from": {}, "rel": None}},
        "created_at": _stamp(ticket.opened.astimezone(UTC), "%Y-%m-%dT%H:%M:%SZ"),
        "updated_at": _stamp((ticket.closed or ticket.opened).astimezone(UTC), "%Y-%m-%dT%H:%M:%SZ"),
        "type": "question",
        "subject": ticket.kind,
        "description": "d" * 50,
        "priority": None,
        "status": "closed" if ticket.closed else "open",
        "requester_id": int(f"36{ticket.customer[1:]:0>9}"),
        "assignee_id": ids[ticket.agent],
        "group_id": 5,
        "collaborator_ids": [],
        "tags": ["vip", "complaint"] if ticket.is_complaint else ["vip"],
        "custom_fields": [{"id": 360001, "value": "A"}, {"id": 360002, "value": None}],
        "satisfaction_rating": {"score": score[good_or_bad(ticket)[0]]},
    }


def zendesk_metrics(ticket: Ticket) -> dict[str, Any]:
    def both(seconds: int | None) -> dict[str, Any]:
        return {"calendar": None if seconds is None else seconds // 60, "business": None}

    return {
        "id": 10_000 + ticket.number,
        "ticket_id": ticket.number,
        "group_stations": 1,
        "assignee_stations": 1,
        "reopens": ticket.reopens,
        "replies": ticket.replies,
        "created_at": _stamp(ticket.opened.astimezone(UTC), "%Y-%m-%dT%H:%M:%SZ"),
        "solved_at": _stamp(ticket.closed.astimezone(UTC), "%Y-%m-%dT%H:%M:%SZ") if ticket.closed else None,
        "reply_time_in_minutes": both(ticket.first_response),
        "first_resolution_time_in_minutes": both(ticket.resolution),
        "full_resolution_time_in_minutes": both(ticket.resolution),
        "agent_wait_time_in_minutes": both(60),
        "requester_wait_time_in_minutes": both(720),
        "on_hold_time_in_minutes": both(0),
    }


def zendesk_rating(ticket: Ticket, ids: Mapping[str, int]) -> dict[str, Any]:
    at = _stamp((ticket.closed or ticket.opened).astimezone(UTC) + timedelta(days=1), "%Y-%m-%dT%H:%M:%SZ")
    score = "offered" if ticket.stars is None else "good" if ticket.stars > 3 else "bad_with_comment"
    return {
        "id": 20_000 + ticket.number,
        "url": "https://x",
        "assignee_id": ids[ticket.agent],
        "group_id": 5,
        "requester_id": int(f"36{ticket.customer[1:]:0>9}"),
        "ticket_id": ticket.number,
        "score": score,
        "comment": "太慢" if score.startswith("bad") else None,
        "created_at": at,
        "updated_at": at,
    }


def zendesk_users(ids: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        {"id": number, "email": f"{name.lower()}@example.com", "name": name, "role": "agent"}
        for name, number in ids.items()
    ]


# ---- Zoho -----------------------------------------------------------------------------------------------------------


def zoho_json(tickets: Iterable[Ticket]) -> bytes:
    """What the interface answers, wrapped in `data`; counts are strings, the customer's last word is a time."""
    data = []
    for ticket in tickets:
        stamp = "%Y-%m-%dT%H:%M:%S.000Z"
        data.append(
            {
                "id": str(ticket.number),
                "ticketNumber": str(ticket.number - 900),
                "subject": ticket.kind,
                "status": "Closed" if ticket.closed else "On Hold",
                "statusType": "Closed" if ticket.closed else "On Hold",
                "category": "投诉" if ticket.is_complaint else ticket.kind,
                "classification": None,
                "channel": {"chat": "Chat", "phone": "Phone", "email": "Email", "wechat": "WeChat"}[ticket.channel],
                "assigneeId": f"77{ticket.agent}",
                "assignee": {"id": f"77{ticket.agent}", "firstName": "", "lastName": ticket.agent, "email": None},
                "contactId": ticket.customer,
                "contact": {"id": ticket.customer, "lastName": ticket.customer.upper(), "email": ticket.email},
                "createdTime": _stamp(ticket.opened.astimezone(UTC), stamp),
                "closedTime": _stamp(ticket.closed.astimezone(UTC), stamp) if ticket.closed else None,
                "modifiedTime": _stamp((ticket.closed or ticket.opened).astimezone(UTC), stamp),
                "customerResponseTime": _stamp(ticket.opened.astimezone(UTC), stamp),
                "threadCount": "7",
                "isSpam": False,
                "isTrashed": False,
                "isArchived": False,
                "metrics": {
                    "firstResponseTime": f"0 days {length_as_clock(ticket.first_response)[:5]} hrs",
                    "resolutionTime": "" if ticket.resolution is None else str(ticket.resolution * 1000),
                    "responseCount": str(ticket.replies),
                    "reopenCount": str(ticket.reopens),
                },
                "cf": {"cf_stars": "x"},
            }
        )
    return json.dumps({"data": data}).encode()


def zoho_csv(tickets: Iterable[Ticket]) -> bytes:
    """`Cases__1.csv` of a backup: a mark in front, lengths of time in milliseconds."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        [
            *("ID", "Subject", "Status", "Channel", "Priority", "Ticket Owner", "Created Time", "Ticket Closed Time"),
            *("Happiness Rating", "Resolution Time in Business Hours", "First Response Time in Business Hours"),
            *("Number of Responses", "Number of Reopen", "Is Overdue", "Tags", "Language"),
        ]
    )
    for ticket in tickets:
        word = {5: "Good", 4: "good", 3: "Okay", 2: "Bad", 1: "Bad"}.get(ticket.stars or 0, "")
        writer.writerow(
            [
                *(ticket.number, ticket.kind, "Closed" if ticket.closed else "Open", ticket.channel, "-", ticket.agent),
                *(_stamp(ticket.opened, "%Y-%m-%d %H:%M:%S"), _stamp(ticket.closed, "%Y-%m-%d %H:%M:%S"), word),
                "" if ticket.resolution is None else ticket.resolution * 1000,
                ticket.first_response * 1000,
                *(ticket.replies, ticket.reopens, "false", "投诉" if ticket.is_complaint else "", "Chinese"),
            ]
        )
    return b"\xef\xbb\xbf" + out.getvalue().encode()


# ---- systems that export sheets -------------------------------------------------------------------------------------


def length_in_words(seconds: int | None) -> str:
    """`1天2小时5分`, as 智齿 and others write it."""
    if seconds is None:
        return "--"
    days, rest = divmod(seconds, 86400)
    hours, minutes = divmod(rest // 60, 60)
    parts = [f"{days}天" if days else "", f"{hours}小时" if hours else "", f"{minutes}分" if minutes else ""]
    return "".join(parts) or "0秒"


def length_as_clock(seconds: int | None) -> str:
    return "" if seconds is None else f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


CHANNEL_WORDS = {"phone": "电话", "chat": "在线客服", "email": "邮件", "wechat": "微信公众号"}
WORDS = {5: "非常满意", 4: "满意", 3: "一般", 2: "不满意", 1: "非常不满意"}


def _sheet_rows(tickets: Iterable[Ticket], heads: Sequence[str], row: Callable[[Ticket], list[Any]]) -> list[list[Any]]:
    return [list(heads), *(row(ticket) for ticket in tickets)]


def as_csv(rows: Iterable[Sequence[Any]], encoding: str = "utf-8-sig", divider: str = ",") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=divider).writerows(rows)
    return out.getvalue().encode(encoding)


def as_workbook(rows: Iterable[Sequence[Any]], *, titles: Sequence[str] = (), merge: int = 0) -> bytes:
    """A workbook with lines of titles above, the first of them merged over `merge` columns."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for title in titles:
        sheet.append([title])
    if merge:
        sheet.merge_cells(start_row=1, end_row=1, start_column=1, end_column=merge)
    for row in rows:
        sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def sobot(tickets: Iterable[Ticket]) -> bytes:
    """GB18030, words for lengths of time, a line of totals below."""
    rows = _sheet_rows(
        tickets,
        [
            "工单编号",
            "工单标题",
            "工单状态",
            "受理客服",
            "工单来源",
            "工单分类",
            "创建时间",
            "解决时间",
            "首次响应时长",
            "处理时长",
            "满意度评价",
            "标签",
        ],
        lambda t: [
            *(t.number, t.kind, "已解决" if t.closed else "处理中", t.agent, CHANNEL_WORDS[t.channel], t.kind),
            *(_stamp(t.opened, "%Y-%m-%d %H:%M"), _stamp(t.closed, "%Y-%m-%d %H:%M")),
            *(length_in_words(t.first_response), length_in_words(t.resolution)),
            WORDS[t.stars] if t.stars else "未评价" if t.is_asked else "",
            "投诉,加急" if t.is_complaint else "",
        ],
    )
    return as_csv([*rows, ["合计", "", "", "", "", "", "", "", "", "", "", ""]], "gb18030")


def jiandaoyun(tickets: Iterable[Ticket]) -> bytes:
    """A form's data as a workbook with real dates, and lengths of time as a spreadsheet keeps them."""
    rows = _sheet_rows(
        tickets,
        [
            "流水号",
            "负责人",
            "渠道",
            "问题类型",
            "提交时间",
            "完成时间",
            "首次响应时长",
            "处理时长",
            "当前状态",
            "满意度(5分制)",
            "是否投诉",
        ],
        lambda t: [
            *(f"GD{t.number}", t.agent, CHANNEL_WORDS[t.channel], t.kind, t.opened.replace(tzinfo=None)),
            t.closed.replace(tzinfo=None) if t.closed else None,
            timedelta(seconds=t.first_response),
            None if t.resolution is None else timedelta(seconds=t.resolution),
            *(
                "已完成" if t.closed else "进行中",
                t.stars or (-1 if t.is_asked else None),
                "是" if t.is_complaint else "否",
            ),
        ],
    )
    return as_workbook(rows, titles=["客服工单明细表", "导出时间：2026-04-01 09:00"], merge=11)


def kingdee(tickets: Iterable[Ticket]) -> bytes:
    rows = _sheet_rows(
        tickets,
        [
            "单据编号",
            "单据状态",
            "服务人员",
            "服务渠道",
            "服务类型",
            "受理时间",
            "关闭时间",
            "首次响应（分钟）",
            "处理用时（小时）",
            "客户满意度",
            "投诉标记",
        ],
        lambda t: [
            *(t.number, "已关闭" if t.closed else "待处理", t.agent, CHANNEL_WORDS[t.channel], t.kind),
            *(_stamp(t.opened, "%Y/%-m/%-d %-H:%M:%S"), _stamp(t.closed, "%Y/%-m/%-d %-H:%M:%S")),
            str(t.first_response // 60),
            "" if t.resolution is None else f"{t.resolution / 3600:.6f}",
            {5: "5星", 4: "4星", 3: "3星", 2: "2星", 1: "1星"}.get(t.stars or 0, "未参评" if t.is_asked else ""),
            "Y" if t.is_complaint else "N",
        ],
    )
    return as_csv(rows, "gb18030")


def qidian(tickets: Iterable[Ticket]) -> bytes:
    """Parted by tabs, times since 1970 in milliseconds, ten points."""
    rows = _sheet_rows(
        tickets,
        [
            "会话ID",
            "客服名称",
            "接入渠道",
            "会话开始时间",
            "会话结束时间",
            "首次响应时长(秒)",
            "会话时长(秒)",
            "评分(10分制)",
            "会话标签",
            "会话状态",
        ],
        lambda t: [
            *(f"S-{t.number}", t.agent, CHANNEL_WORDS[t.channel], int(t.opened.timestamp() * 1000)),
            int(t.closed.timestamp() * 1000) if t.closed else 0,
            *(t.first_response, "" if t.resolution is None else t.resolution),
            2 * t.stars if t.stars else "-1" if t.is_asked else "",
            *("投诉" if t.is_complaint else "", "已结束" if t.closed else "进行中"),
        ],
    )
    return as_csv(rows, "utf-8", "\t")


def yozo(tickets: Iterable[Ticket]) -> bytes:
    """Chinese dates as text, clocks, and the numbers of days that a spreadsheet shows when nobody formats them."""
    epoch = datetime(1899, 12, 30, tzinfo=SHANGHAI)
    rows = _sheet_rows(
        tickets,
        heads("工单号|处理人|来源|类型|创建时间|完成时间|响应时长|解决时长|评价|是否投诉"),
        lambda t: [
            *(t.number, t.agent, CHANNEL_WORDS[t.channel], t.kind, t.opened.strftime("%Y年%-m月%-d日 %H:%M:%S")),
            (t.closed.replace(tzinfo=None) - epoch.replace(tzinfo=None)) / timedelta(days=1) if t.closed else None,
            *(length_as_clock(t.first_response), length_as_clock(t.resolution)),
            *(WORDS[t.stars] if t.stars else "未评价" if t.is_asked else None, "是" if t.is_complaint else "否"),
        ],
    )
    return as_workbook(rows)
