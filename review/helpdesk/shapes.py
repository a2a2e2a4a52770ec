"""What the records of known interfaces are called and which of their keys say what: exact names, no guessing.

A field may carry how its bare numbers count behind a colon, `first_response:min`. An empty field: none of ours.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from review.domain.records import TicketSystem


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of record, recognised by keys that all must be there.

    `is_partial`: it tells some facts of a ticket and not its state, so it never undoes what the ticket itself told.
    `side`: its records are no tickets but looked up by others.
    """

    system: TicketSystem
    needs: Collection[str]
    fields: Mapping[str, str] = field(default_factory=dict)
    is_partial: bool = False
    side: str = ""


def _metrics(prefix: str) -> dict[str, str]:
    """Zendesk's metrics of a ticket; `prefix` is where they hang on it."""
    minutes = {
        "reply_time_in_minutes": "first_response",
        "full_resolution_time_in_minutes": "resolution",
        "first_resolution_time_in_minutes": "first_resolution",
        "requester_wait_time_in_minutes": "customer_wait",
    }
    found = {f"{prefix}reply_time_in_seconds.calendar": "first_response_exact:s"}
    for key, name in minutes.items():
        found[f"{prefix}{key}.calendar"] = f"{name}:min"
        found[f"{prefix}{key}.business"] = f"{name}_business:min"
    plain = {
        "reopens": "reopens",
        "replies": "replies",
        "assignee_stations": "assignee_stations",
        "solved_at": "closed_at",
    }
    return found | {f"{prefix}{key}": name for key, name in plain.items()}


_NOT_OURS = ("url", "external_id", "created_at", "updated_at", "group_id", "id", "reason", "reason_code", "reason_id")

SHAPES: tuple[Shape, ...] = (
    Shape(
        TicketSystem.ZENDESK,
        ("ticket_id", "score"),
        dict.fromkeys(_NOT_OURS, "")
        | {
            "ticket_id": "reference",
            "assignee_id": "agent_no",
            "requester_id": "customer_no",
            "score": "csat",
            "comment": "csat_comment",
            "updated_at": "csat_at",
            "created_at": "asked_at",
        },
        is_partial=True,
    ),
    Shape(
        TicketSystem.ZENDESK,
        ("subjects", "answers"),
        dict.fromkeys(_NOT_OURS, "")
        | {"subjects": "subjects", "answers": "answers", "responder_id": "customer_no", "created_at": "asked_at"},
        is_partial=True,
    ),
    Shape(
        TicketSystem.ZENDESK,
        ("ticket_id", "reply_time_in_minutes.calendar"),
        dict.fromkeys(_NOT_OURS, "") | {"ticket_id": "reference"} | _metrics(""),
        is_partial=True,
    ),
    Shape(
        TicketSystem.ZENDESK,
        ("ticket_id", "assignee_stations"),
        dict.fromkeys(_NOT_OURS, "") | {"ticket_id": "reference"} | _metrics(""),
        is_partial=True,
    ),
    Shape(
        TicketSystem.ZENDESK,
        ("id", "status", "requester_id"),
        {
            **dict.fromkeys(("external_id", "url", "organization_id", "description", "raw_subject", "priority"), ""),
            "id": "reference",
            "assignee_id": "agent_no",
            "assignee.email": "agent_email",
            "assignee.name": "agent",
            "requester_id": "customer_no",
            "requester.email": "customer_email",
            "requester.name": "customer",
            "requester.locale": "locale",
            "via.channel": "channel",
            "type": "kind",
            "status": "status",
            "tags": "tags",
            "subject": "subject",
            "created_at": "opened_at",
            "updated_at": "updated_at",
            "solved_at": "closed_at",
            "satisfaction_rating.score": "csat",
            "satisfaction_rating.comment": "csat_comment",
        }
        | _metrics("metric_set."),
    ),
    Shape(TicketSystem.ZENDESK, ("id", "email", "role"), side="users"),
    Shape(TicketSystem.ZENDESK, ("id", "email", "name"), side="users"),
    Shape(
        TicketSystem.ZOHO,
        ("ticketNumber", "createdTime"),
        {
            **dict.fromkeys(
                ("ticketNumber", "customerResponseTime", "threadCount", "description", "priority", "email", "phone"), ""
            ),
            "id": "reference",
            "assigneeId": "agent_no",
            "assignee.id": "agent_no",
            "assignee.email": "agent_email",
            "assignee.firstName": "agent_first",
            "assignee.lastName": "agent_last",
            "assignee.name": "agent",
            "contactId": "customer_no",
            "contact.email": "customer_email",
            "contact.firstName": "customer_first",
            "contact.lastName": "customer_last",
            "channel": "channel",
            "classification": "kind",
            "category": "kind",
            "status": "status",
            "statusType": "status_type",
            "subject": "subject",
            "createdTime": "opened_at",
            "closedTime": "closed_at",
            "modifiedTime": "updated_at",
            "isSpam": "is_spam",
            "isTrashed": "is_deleted",
            "isArchived": "is_archived",
            "language": "locale",
            "resolution": "",
            "firstResponseTime": "first_response:ms",
            "resolutionTime": "resolution:ms",
            "responseCount": "replies",
            "reopenCount": "reopens",
            "reassignCount": "reassigns",
            "agentsHandled": "agents",
            "metrics.firstResponseTime": "first_response:ms",
            "metrics.resolutionTime": "resolution:ms",
            "metrics.responseCount": "replies",
            "metrics.reopenCount": "reopens",
            "metrics.reassignCount": "reassigns",
            "metrics.agentsHandled": "agents",
        },
    ),
    *(
        Shape(
            TicketSystem.ZOHO,
            (key, *more),
            {
                "id": "",
                key: "reference",
                "firstResponseTime": "first_response:ms",
                "resolutionTime": "resolution:ms",
                "responseCount": "replies",
                "reopenCount": "reopens",
                "reassignCount": "reassigns",
                "agentsHandled": "agents",
                "threadCount": "",
                "outgoingCount": "",
                "rating": "csat",
                "feedback": "csat_comment",
                "ratedTime": "csat_at",
                "createdTime": "csat_at",
                "agentId": "agent_no",
                "goodCount": "good_count",
                "okCount": "ok_count",
                "badCount": "bad_count",
            },
            is_partial=True,
        )
        for key, more in (
            ("ticketId", ("firstResponseTime",)),
            ("ticketId", ("reopenCount",)),
            ("ticketId", ("rating",)),
            ("ticketId", ("goodCount",)),
            ("id", ("firstResponseTime", "reopenCount")),
        )
    ),
)


def shape_of(headings: Collection[str]) -> Shape | None:
    """The first kind of record whose keys are all there."""
    return next((shape for shape in SHAPES if all(key in headings for key in shape.needs)), None)
