"""Foreign XML, read with limits: what is not the one message that is expected, whole and valid, is refused by line."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import Any, Final, TypeAlias

from lxml import etree

from licet.errors import InputError

LARGEST: Final = 64 << 20  # bytes of a file
_DEEPEST: Final = 64  # elements inside each other; the messages need 17
_MOST: Final = 4_000_000  # elements

Element: TypeAlias = Any  # the library has neither types nor a public name for it


def read(data: bytes, message: str, file: str) -> Element:
    """Return the root of ``data``, a valid document of ``message`` such as ``camt.053.001.08``.

    Nothing outside of it is read, entities are not resolved, a document type is refused. Raises ``InputError`` that
    names ``file`` and the line.
    """
    if len(data) > LARGEST:
        raise InputError(f"{file}: expected at most {LARGEST} bytes, got {len(data)}")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise _at(file, error.lineno or 1, f"expected well-formed XML, got {_words(error.msg)}") from None
    except ValueError as error:
        raise _at(file, 1, f"expected XML, got {_words(str(error))}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise _at(file, 1, "expected a document without a document type, got one with it")
    wanted = f"{{urn:iso:std:iso:20022:tech:xsd:{message}}}Document"
    if root.tag != wanted:
        raise _at(file, root.sourceline or 1, f"expected a Document of {message}, got {_words(str(root.tag))}")
    _hold_size(root, file)
    schema = _schema(message)
    if not schema.validate(root):
        first = schema.error_log[0]
        raise _at(file, first.line, _words(first.message.replace(f"{{urn:iso:std:iso:20022:tech:xsd:{message}}}", "")))
    return root


def valid(data: bytes, message: str) -> bool:
    """Return whether ``data`` is a valid document of ``message``."""
    try:
        read(data, message, "document")
    except InputError:
        return False
    return True


def at(file: str, element: Element, what: str) -> InputError:
    """Return the error that says ``what`` of an ``element``."""
    return _at(file, element.sourceline or 1, what)


def _hold_size(root: Element, file: str) -> None:
    depth = count = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        count += event == "start"
        if depth > _DEEPEST or count > _MOST:
            raise at(file, element, f"expected at most {_MOST} elements, {_DEEPEST} deep, got more")


@lru_cache(maxsize=4)
def _schema(message: str) -> etree.XMLSchema:
    with (resources.files("registry.settlement") / "schemas" / f"{message}.xsd").open("rb") as file:
        return etree.XMLSchema(etree.parse(file))


def _at(file: str, line: int, what: str) -> InputError:
    return InputError(f"{file}: line {line}: {what}", line=line)


def _words(text: str) -> str:
    plain = " ".join(text.split())
    plain = plain[:1].lower() + plain[1:]
    return plain if len(plain) <= 300 else f"{plain[:297]}..."
