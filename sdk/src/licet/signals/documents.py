"""Documents of strangers, in JSON and XML: within limits of size and depth, without entities, loading nothing."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from licet.errors import InputError, MalformedError

MAX_XML: Final = 8 << 20  # bytes
MAX_DEPTH: Final = 200  # of elements
MAX_NODES: Final = 200_000

_TRAILING: Final = re.compile(r'("(?:[^"\\]|\\.)*")|,(\s*[\]}])')


def loads(body: bytes) -> Any:
    """Return the value of a JSON text; one comma too many at an end is read over.

    Raises ``ValueError`` for what is no JSON and no UTF-8, ``RecursionError`` for what is too deep.
    """
    text = body.removeprefix(b"\xef\xbb\xbf")
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = text.decode("utf-16").encode()
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        lenient = _TRAILING.sub(lambda found: found[1] or found[2], text.decode())
        return msgspec.json.decode(lenient)


def parse_xml(body: bytes, what: str) -> Any:
    """Return the root element of ``body``; ``what`` names it in errors.

    A document type is refused, so there are no entities to expand and nothing to load. Raises ``MalformedError`` for
    what is no XML, and for more than 8 MB, 200 levels or 200,000 elements.
    """
    from lxml import etree

    if len(body) > MAX_XML:
        raise MalformedError(f"{what}: expected at most {MAX_XML:,} bytes, got {len(body):,}", why="too-long")
    if b"<!DOCTYPE" in body:
        raise MalformedError(f"{what}: expected no document type, got one")
    parser = etree.XMLPullParser(
        ("start", "end"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    depth = nodes = 0
    try:
        for start in range(0, len(body), 1 << 16):
            parser.feed(body[start : start + (1 << 16)])
            for event, element in parser.read_events():
                if not nodes and element.getroottree().docinfo.doctype:  # in another encoding than ASCII's
                    raise MalformedError(f"{what}: expected no document type, got one")
                depth += 1 if event == "start" else -1
                nodes += event == "start"
                if depth > MAX_DEPTH or nodes > MAX_NODES:
                    raise MalformedError(f"{what}: expected at most {MAX_DEPTH} levels and {MAX_NODES:,} elements")
        root = parser.close()
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise MalformedError(f"{what}: expected XML, got what is not: {str(error)[:200]}") from None
    return root


def local(tag: object) -> str:
    """Return the name of an element or attribute without its namespace; "" for what is no name."""
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def namespace(tag: object) -> str:
    """Return the namespace of a name; "" without one."""
    return tag[1:].partition("}")[0] if isinstance(tag, str) and tag.startswith("{") else ""


def why(error: InputError) -> str:
    """Return the reason for a signal about what ``error`` says."""
    return "too-long" if error.details.get("why") == "too-long" else "unreadable"
