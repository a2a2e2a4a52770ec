"""Numbers that no row can have, wherever an id is read: an address that leads nowhere, never a failure."""

from collections.abc import Callable

import pytest
from flask import Flask

from review.domain.access import Role
from review.infra.db import db
from review.infra.ids import LARGEST, row_id
from tests.browse import Browser
from tests.make import Cast, make_person

TOO_LARGE = (LARGEST + 1, 2**63, 10**30)


@pytest.fixture
def almighty(app: Flask, cast: Cast, browse: Callable[..., Browser]) -> Browser:
    with app.app_context():
        made = make_person("Olga", roles=tuple(Role))
        db.session.commit()
    return browse(made)


@pytest.mark.parametrize("number", TOO_LARGE)
def test_every_route_with_an_id_leads_nowhere_when_the_number_is_too_large(
    app: Flask, almighty: Browser, number: int
) -> None:
    token, addresses = almighty.token(), set()
    for rule in app.url_map.iter_rules():
        if any(type(converter).__name__ == "RowId" for converter in rule._converters.values()):
            addresses.add(
                rule.rule.replace("<int:", "").replace(">", "").replace(next(iter(rule.arguments)), str(number))
            )
    assert len(addresses) > 30
    for address in addresses:
        for method in ("get", "post"):
            answer = getattr(almighty.client, method)(address, headers={"X-CSRFToken": token})
            assert answer.status_code in {404, 405}, f"{method} {address}: {answer.status_code}"


@pytest.mark.parametrize("number", TOO_LARGE)
def test_a_too_large_number_in_a_query_or_a_form_is_as_if_it_were_not_there(almighty: Browser, number: int) -> None:
    for address in (
        "/people?department={}",
        "/people/slips?person={}",
        "/people/slips?department={}",
        "/people?page={}",
    ):
        almighty.get(address.format(number))
    almighty.post("/admin/mail", {"letter": number})
    almighty.post("/people/slips", {"person": number})


def test_a_link_with_a_too_large_number_is_a_dead_one(browse: Callable[..., Browser]) -> None:
    browse().get(f"/activate/{10**14}.{10**14}.x", status=410)


@pytest.mark.parametrize("typed", ["-1", str(LARGEST + 1), "1.5", "", "x", "9" * 5000])
def test_what_no_row_has_is_no_id(typed: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  it is what `type=` of a query catches
        row_id(typed)


def test_what_a_row_may_have_is_an_id() -> None:
    assert (row_id("0"), row_id("17"), row_id(str(LARGEST))) == (0, 17, LARGEST)
