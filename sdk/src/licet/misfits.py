"""What a decoder says of data that does not fit, in our words: ``works[0].title: expected text, got …``.

The decoder speaks of its own types, in sentences of several shapes. Here, and only here, they are taken apart.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import msgspec

_PLACE: Final = re.compile(r" - at (?:`key` in )?`\$(?P<path>.*)`$", re.DOTALL)
_EXPECTED: Final = re.compile(r"Expected (?P<expected>.+?)(?:, got (?P<got>.+))?", re.DOTALL)
_FIELD: Final = re.compile(r"Object (?P<what>missing required|contains unknown) field `(?P<name>.+)`", re.DOTALL)
_CHOICE: Final = re.compile(r"Invalid (?:enum )?value (?P<got>.+)", re.DOTALL)
_OWN: Final = re.compile(
    r"(?P<path>[a-z_]+(?:\[\d+\])?(?:\.[a-z_]+)?): expected (?P<expected>.+), got (?P<got>.+)", re.DOTALL
)
_SPOILT: Final = re.compile(r"JSON is malformed: (?P<why>.+) \(byte (?P<byte>\d+)\)", re.DOTALL)
_NAMED: Final = re.compile(r"`(?P<types>[^`]+)`")
_SIZE: Final = re.compile(r"(?P<least>>=|<=) (?P<size>\S+)$")
_WORDS: Final = {
    "array": "a list",
    "bool": "true or false",
    "float": "a number",
    "int": "a whole number",
    "object": "an object",
    "str": "text",
}
_CAME: Final = {**_WORDS, "bool": "a boolean"}


class Misfit(NamedTuple):
    """Where it does not fit (dots and ``[0]``; empty for the whole), what was expected there, what came ('' unsaid)."""

    path: str
    expected: str
    got: str

    def __str__(self) -> str:
        place = f"{self.path}: " if self.path else ""
        return f"{place}expected {self.expected}" + (f", got {self.got}" if self.got else "")


def misfit(error: BaseException) -> Misfit:
    """Return what an error of decoding says, be it of JSON, of text, or of nesting."""
    if isinstance(error, UnicodeDecodeError):
        return Misfit("", "text in UTF-8", f"other bytes at {error.start}")
    if isinstance(error, RecursionError):
        return Misfit("", "JSON that can be read", "JSON that is nested too deep")
    message, path = str(error), ""
    if (place := _PLACE.search(message)) is not None:
        message, path = message[: place.start()], place["path"].lstrip(".").replace("[...]", "[*]")
    return told(path, message)


def unlike(error: BaseException) -> str:
    """Return what came instead, as ``something else (…)``; an error that is none of decoding says it by itself."""
    decoding = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
    return f"something else ({misfit(error)})" if isinstance(error, decoding) else str(error)


def told(path: str, message: str) -> Misfit:
    """Return what a decoder's ``message`` says about what is at ``path``."""
    if (field := _FIELD.fullmatch(message)) is not None:
        inner = f"{path}.{field['name']}" if path else field["name"]
        if field["what"] == "missing required":
            return Misfit(inner, "a value", "nothing")
        return Misfit(inner, "no field of this name", field["name"])
    if (said := _EXPECTED.fullmatch(message)) is not None:
        return Misfit(path, _size(_typed(said["expected"], _WORDS)), _typed(said["got"] or "", _CAME))
    if (choice := _CHOICE.fullmatch(message)) is not None:
        return Misfit(path, "a value that is known here", choice["got"])
    if (spoilt := _SPOILT.fullmatch(message)) is not None:
        return Misfit(path, "JSON", f"something else at byte {spoilt['byte']} ({spoilt['why']})")
    if (own := _OWN.fullmatch(message)) is not None:  # what a payload of ours says of itself
        return Misfit(f"{path}.{own['path']}" if path else own["path"], own["expected"], own["got"])
    if message == "Input data was truncated":
        return Misfit(path, "JSON", "what breaks off before its end")
    return Misfit(path, "a valid value", message[:1].lower() + message[1:])


def _typed(words: str, named: dict[str, str]) -> str:
    def spoken(found: re.Match[str]) -> str:
        return " or ".join(named.get(each, each) for each in found["types"].split(" | "))

    return _NAMED.sub(spoken, words)


def _size(words: str) -> str:
    """Return ``text of length >= 1`` as ``text of length at least 1``."""
    return _SIZE.sub(lambda found: ("at least " if found["least"] == ">=" else "at most ") + found["size"], words)
