"""What every page of the portal must be: one heading, its language, no code of its own, no link that leads nowhere."""

from __future__ import annotations

import re
from typing import Any

import httpx
from litestar.routes import HTTPRoute

from registry.portal.frame.languages import of_path
from tests.registry.portal.people import HTML, Read

CJK = re.compile(r"[\u4e00-\u9fff]")


def pages(app: Any) -> set[str]:
    """Return the path of every page of the application, without its language."""
    found = set()
    for route in app.routes:
        if isinstance(route, HTTPRoute) and of_path(route.path) == "en" and "GET" in route.methods:
            found.add(re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path.removeprefix("/en")))
    return found


async def held_whole(http: httpx.AsyncClient, path: str, language: str) -> Read:
    """Open the page and each of its links as whoever is behind ``http``, and return it."""
    answer = await http.get(path, headers=HTML)
    assert answer.status_code == 200, (path, answer.text)
    page = Read(answer.text)
    assert sum(tag == "h1" for tag, _ in page.elements) == 1, path
    (kept,) = [each["lang"] for tag, each in page.elements if tag == "html"]
    assert kept == {"en": "en", "zh": "zh-Hans"}[language]
    if language == "en":
        assert set(CJK.findall(page.text)) <= set("允中文"), path
    ids = [each["id"] for _, each in page.elements if "id" in each]
    assert len(ids) == len(set(ids)), path
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (path, tag)
        assert tag != "img" or {"alt", "width", "height"} <= set(attributes), path
        target = attributes.get("href", "")
        assert not target.startswith("#") or target[1:] in ids, (path, target)
    for link in page.links():
        led = await http.get(link.partition("#")[0], headers=HTML)
        assert led.status_code in (200, 303), (path, link)
    other = next(each["href"] for tag, each in page.elements if tag == "a" and each.get("class") == "tongue")
    assert other.startswith("/zh" if language == "en" else "/en")
    return page
