"""A browser for tests that inspects every page it fetches, so that each test is also a test of the page.

It fails on a page without a title or with other than one h1, an input without a label, a form that posts without a
CSRF token, a duplicate id, an inline style or script, and words that nobody translated.
"""

import re
from typing import Any

from bs4 import BeautifulSoup, Tag
from flask import Flask
from werkzeug.test import TestResponse

from tests.make import Somebody

LABELLED = ("input", "select", "textarea")
NO_LABEL_NEEDED = {"hidden", "submit", "button", "image", "reset"}


class Browser:
    """Fetches pages as one person. `get` and `post` return a Page; `submit` fills in and sends a form of a page."""

    def __init__(self, app: Flask, person: Somebody | None = None, locale: str | None = None) -> None:
        self.client = app.test_client()
        with self.client.session_transaction() as session:
            if person is not None:
                session["_user_id"] = person.session_id
                session["_fresh"] = True
            if locale is not None:
                session["locale"] = locale

    def get(self, url: str, status: int = 200, **options: Any) -> "Page":
        return self._page(self.client.get(url, **options), status)

    def post(self, url: str, data: dict[str, Any] | None = None, status: int = 302, **options: Any) -> "Page":
        """Post with the session's own CSRF token."""
        data = {"csrf_token": self.token(), **(data or {})}
        return self._page(self.client.post(url, data=data, **options), status)

    def follow(self, page: "Page") -> "Page":
        """The page a redirect leads to."""
        assert 300 <= page.status < 400, f"no redirect but {page.status}"
        return self.get(page.location)

    def submit(self, page: "Page", data: dict[str, Any], form: str = "", status: int = 302) -> "Page":
        """Fill in the page's form (the one whose action ends in `form`, else the only one in main) and send it."""
        found = page.form(form)
        fields = {**fields_of(found), **data}
        fields = {name: value for name, value in fields.items() if value is not None}
        action = str(found.get("action") or page.url)
        return self._page(
            self.client.post(action, data=fields, content_type=str(found.get("enctype") or "") or None), status
        )

    def token(self) -> str:
        """A valid CSRF token of this session, read from a page as a person's browser would."""
        response = self.client.get("/", follow_redirects=True)
        meta = BeautifulSoup(response.text, "html5lib").find("meta", {"name": "csrf-token"})
        if isinstance(meta, Tag):
            return str(meta["content"])
        field = BeautifulSoup(response.text, "html5lib").find("input", {"name": "csrf_token"})
        assert isinstance(field, Tag), "no page offers a CSRF token"
        return str(field["value"])

    def _page(self, response: TestResponse, status: int) -> "Page":
        page = Page(response)
        assert page.status == status, f"{response.request.path}: {page.status} instead of {status}\n{page.words[:1500]}"
        if (response.mimetype == "text/html" and page.status < 300) or page.status >= 400:
            page.inspect()
        return page


class Page:
    """One answer of the application."""

    def __init__(self, response: TestResponse) -> None:
        self.response = response
        self.status = response.status_code
        self.url = response.request.path
        self.location = response.headers.get("Location", "")
        self.text = response.text if response.mimetype.startswith("text/") else ""
        self.soup = BeautifulSoup(self.text, "html5lib")

    @property
    def words(self) -> str:
        """What a reader sees of main, white space folded."""
        main = self.soup.find("main") or self.soup
        return " ".join(main.get_text(" ").split())

    @property
    def h1(self) -> str:
        found = self.soup.find("h1")
        return " ".join(found.get_text(" ").split()) if found else ""

    def form(self, action: str = "") -> Tag:
        inside = self.soup.find("main") or self.soup
        forms = [form for form in self.soup.find_all("form") if str(form.get("action") or self.url).endswith(action)]
        forms = [form for form in forms if action or inside in form.parents]
        assert forms, f"no form {action!r} on {self.url}"
        return forms[0]

    def inspect(self) -> None:
        """The laws of every page."""
        if self.response.mimetype != "text/html" or "<html" not in self.text:
            return
        where = self.url
        assert self.soup.title, f"{where}: no title"
        assert self.soup.title.get_text(strip=True), f"{where}: an empty title"
        assert len(self.soup.find_all("h1")) == 1, f"{where}: {len(self.soup.find_all('h1'))} h1"
        ids = [tag["id"] for tag in self.soup.find_all(id=True)]
        assert len(ids) == len(set(ids)), f"{where}: duplicate ids {sorted({i for i in ids if ids.count(i) > 1})}"
        assert not self.soup.find_all(style=True), f"{where}: inline style breaks the content policy"
        assert not [s for s in self.soup.find_all("script") if not s.get("src")], f"{where}: inline script"
        handlers = [tag for tag in self.soup.find_all(True) if any(name.startswith("on") for name in tag.attrs)]
        assert not handlers, f"{where}: inline handler on {handlers[:1]}"
        self._inspect_forms(where)

    def _inspect_forms(self, where: str) -> None:
        targets = {label.get("for") for label in self.soup.find_all("label")}
        for tag in self.soup.find_all(LABELLED):
            if tag.get("type") in NO_LABEL_NEEDED:
                continue
            labelled = (
                tag.get("id") in targets
                or tag.find_parent("label")
                or tag.get("aria-label")
                or tag.get("aria-labelledby")
            )
            assert labelled, f"{where}: no label for {tag.get('name')}"
        for form in self.soup.find_all("form"):
            by_link = str(form.get("action") or where).startswith("/s/")  # its proof is the secret in the address
            if str(form.get("method", "get")).lower() == "post" and not by_link:
                assert form.find("input", {"name": "csrf_token"}), (
                    f"{where}: a form without CSRF token: {form.get('action')}"
                )


def fields_of(form: Tag) -> dict[str, Any]:
    """What a form would send as it stands."""
    fields: dict[str, Any] = {}
    for tag in form.find_all(["input", "select", "textarea"]):
        name, kind = tag.get("name"), tag.get("type")
        if not name or kind in {"submit", "button", "file"} or tag.has_attr("disabled"):
            continue
        if kind in {"checkbox", "radio"}:
            if tag.has_attr("checked"):
                fields.setdefault(name, []).append(tag.get("value", "on")) if kind == "checkbox" else fields.update(
                    {name: tag.get("value", "on")}
                )
        elif tag.name == "select":
            chosen = [option for option in tag.find_all("option") if option.has_attr("selected")] or tag.find_all(
                "option"
            )[:1]
            fields[name] = chosen[0].get("value", chosen[0].get_text()) if chosen else ""
        elif tag.name == "textarea":
            fields[name] = re.sub(r"^\r?\n", "", tag.get_text())
        else:
            fields[name] = tag.get("value", "")
    return fields
