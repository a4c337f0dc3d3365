"""For web pages: lines for the head of one, and a page of its own with the terms in both languages."""

from __future__ import annotations

from html import escape
from typing import Final

import msgspec

from licet.signals.readers.headers import RSL_TYPE
from licet.signals.writers.lines import no_ai
from licet.signals.writers.policies import reservation
from licet.signals.writers.written import Subject, Written
from licet.terms import sentences

HTML: Final = "text/html; charset=utf-8"
_LABELS: Final = {
    "en": ("Terms of use", "{} states:", "Where these terms are kept:"),
    "zh-Hans": ("使用条款", "{} 声明：", "这些条款的出处："),
}
# One column that a phone shows without scrolling sideways, in the reader's own colours; nothing is fetched for it.
_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{max-width:38rem;margin:0 auto;padding:2rem 1.25rem 4rem;font:1.0625rem/1.65 Georgia,'Noto Serif',serif;"
    "overflow-wrap:anywhere}"
    "h1,h2{font-size:1.6rem;line-height:1.25;margin:0 0 1rem;font-weight:600;text-wrap:balance}"
    ".kind,.who,.where{font-size:.9rem;opacity:.75}.kind{margin:0}"
    "section{margin-top:3rem;padding-top:3rem;border-top:1px solid rgb(128 128 128 / .4)}"
    ":lang(zh){font-family:'Noto Serif SC','Songti SC','Noto Serif CJK SC',SimSun,serif;line-height:1.85}"
)


def html(subject: Subject) -> Written:
    """Return lines for the head of a page that shows the work: reservation, robots rules, licence, JSON-LD."""
    lines, said = _head(subject)
    return Written("html", "snippet.html", HTML, "".join(f"{line}\n" for line in lines).encode(), said)


def page(subject: Subject) -> Written:
    """Return a page with the terms in plain words, English and Chinese, and the same lines in its head."""
    lines, said = _head(subject)
    name, who = escape(subject.title or ""), subject.artist or ""
    titles = {"en": name or "Terms of use", "zh-Hans": name or "使用条款"}
    body = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>{titles['en']}</title>",
        *lines,
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
    ]
    for tag, (kind, says, where) in _LABELS.items():
        body += [
            f'<main lang="{tag}">' if tag == "en" else f'<section lang="{tag}">',
            f"<p class=kind>{kind}</p>" if name else "",
            f"<h1>{titles[tag]}</h1>" if tag == "en" else f"<h2>{titles[tag]}</h2>",
            f"<p class=who>{escape(says.format(who))}</p>" if who else "",
            *(f"<p>{escape(each)}</p>" for each in sentences(subject.terms, tag, subject.unsaid)),
        ]
        if subject.address:
            link = f'<a rel="license" href="{escape(subject.address)}">{escape(subject.address)}</a>'
            body.append(f"<p class=where>{where}<br>{link}</p>")
        body.append("</main>" if tag == "en" else "</section>")
    body += ["</body>", "</html>"]
    text = "\n".join(each for each in body if each).encode() + b"\n"
    return Written("page", "terms.html", HTML, text, said, words=True)


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
