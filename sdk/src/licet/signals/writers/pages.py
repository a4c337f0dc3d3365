"""For web pages: lines for the head of one, and a page of its own with the terms in both languages."""

from __future__ import annotations

from html import escape
from typing import Final

import msgspec

from licet.signals.readers.headers import RSL_TYPE
from licet.signals.writers.lines import no_ai
from licet.signals.writers.policies import reservation
from licet.signals.writers.written import Subject, Written
from licet.terms import plain_text

HTML: Final = "text/html; charset=utf-8"


def html(subject: Subject) -> Written:
    """Return lines for the head of a page that shows the work: reservation, robots rules, licence, JSON-LD."""
    lines, said = _head(subject)
    return Written("html", "snippet.html", HTML, "".join(f"{line}\n" for line in lines).encode(), said)


def page(subject: Subject) -> Written:
    """Return a page with the terms in plain words, English and Chinese, and the same lines in its head."""
    lines, said = _head(subject)
    title = escape(subject.title or "Terms of use")
    who = subject.artist or ""
    body = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f"<title>{title}</title>",
        *lines,
        "</head>",
        "<body>",
        f"<h1>{title}</h1>",
        f"<p>{escape(plain_text(subject.terms, 'en', who, 1))}</p>",
        f'<p lang="zh-Hans">{escape(plain_text(subject.terms, "zh-Hans", who, 1))}</p>',
    ]
    if subject.address:
        body.append(f'<p><a rel="license" href="{escape(subject.address)}">{escape(subject.address)}</a></p>')
    body += ["</body>", "</html>", ""]
    return Written("page", "terms.html", HTML, "\n".join(body).encode(), said)


def _head(subject: Subject) -> tuple[list[str], int]:
    lines: list[str] = []
    reserved, said = reservation(subject)
    for name, value in reserved.items():
        lines.append(f'<meta name="{name}" content="{escape(value)}">')
    rules, says = no_ai(subject)
    if rules:
        lines.append(f'<meta name="robots" content="{rules}">')
    said |= says
    if licence := subject.machine.get("rsl"):
        from licet.signals.writers.rsl import rsl

        lines.append(f'<link rel="license" type="{RSL_TYPE}" href="{escape(licence)}">')
        said |= rsl(subject).mask
    if subject.address:
        described = {
            "@context": "https://schema.org/",
            "@type": "ImageObject",
            "license": subject.address,
            "acquireLicensePage": subject.address,
        }
        # No word of it may end the script.
        text = msgspec.json.encode(described).decode().replace("<", "\\u003c")
        lines.append(f'<script type="application/ld+json">{text}</script>')
    return lines, said
