"""Letters that were written before the mail knew domains and cycles are told apart afterwards, there and back."""

import json
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text

from review.infra import migrate

BEFORE, HERE = "2a30ca0ab351", "22e3032c9ae7"
WRITTEN = [
    # kind, about, to, params -> domain, batch
    ("customer_survey:invitation", "survey:7:31", "A@QQ.com", {"cycle": 7, "customer": 31}, "qq.com", "cycle:7"),
    ("workflow:opening", "cycle:12", "b@example.com", {"cycle": "Q1"}, "example.com", "cycle:12"),
    ("workflow:asked_again", "cycle:12:key", "b@example.com", {"cycle": "Q1"}, "example.com", None),
    ("people:activation", "person:1", "nonsense", {"person": 1}, None, None),
]
INSERT = text(
    'INSERT INTO letter (kind, about, "to", locale, params, state, send_after, attempts) VALUES '
    "(:kind, :about, :to, 'zh', :params, 'sent', '2026-04-01 08:00:00', 1)"
)


def there_and_back(url: str) -> None:
    migrate.upgrade(url, BEFORE)
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        for kind, about, to, params, *_ in WRITTEN:
            connection.execute(INSERT, {"kind": kind, "about": about, "to": to, "params": json.dumps(params)})
    migrate.upgrade(url, HERE)
    with engine.begin() as connection:
        found = connection.execute(text("SELECT kind, domain, batch FROM letter ORDER BY id")).all()
        connection.execute(text("UPDATE letter SET state = 'bounced' WHERE kind = 'workflow:opening'"))
    assert [(kind, domain or None, batch) for kind, domain, batch in found] == [
        (kind, domain, batch) for kind, _about, _to, _params, domain, batch in WRITTEN
    ]
    migrate.downgrade(url, BEFORE)
    with engine.connect() as connection:
        states = connection.execute(text("SELECT state FROM letter ORDER BY id")).scalars().all()
    assert states == ["sent", "failed", "sent", "sent"]


def test_on_sqlite(tmp_path: Path) -> None:
    there_and_back(f"sqlite:///{tmp_path / 'old.sqlite'}")


@pytest.mark.postgres
@pytest.mark.xdist_group("postgres")
def test_on_postgres(postgres_url: str) -> None:
    there_and_back(postgres_url)
