"""Canonical addresses: one text for every spelling of the same http(s) URL, and the keys they are found by.

RFC 3986 section 6.2 (case, percent-encoding, dot segments, default ports) with the host rules of the WHATWG
URL standard (UTS 46, IPv6 compression, decimal dotted quads). The fragment and an empty query go; the order
of the query stays. http and https stay apart, ``www.`` stays: nothing that a server could tell apart is merged.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import struct
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from licet.compiled import hashing_of, spread
from licet.errors import InputError
from licet.fingerprints.exact import KEY_BYTES

if TYPE_CHECKING:
    import pyarrow as pa

MAX_URL_BYTES: Final = 8192

_UNRESERVED: Final = r"A-Za-z0-9._~\-"
_PATH: Final = _UNRESERVED + r"!$&'()*+,;=:@/"
_QUERY: Final = _PATH + "?"
# Escapes of anything but unreserved characters, in upper case: those a canonical address may hold.
_ESCAPE: Final = "%(?:[0189A-F][0-9A-F]|2[0-9A-CF]|3[A-F]|40|5[B-E]|60|7[B-DF])"
# Canonical already, as nearly all addresses in datasets are. Six labels of at most 41 characters stay within
# the 253 of a host; a last label that begins with a letter is no number. "/." is looked for apart. The same
# text must mean the same to re and to RE2.
_PLAIN_TEXT: Final = (
    r"https?://(?:[a-z0-9_-]{1,41}\.){1,5}[a-z][a-z0-9_-]{0,40}"
    rf"/[{_PATH}]*(?:{_ESCAPE}[{_PATH}]*)*(?:\?(?:[{_QUERY}]|{_ESCAPE})[{_QUERY}]*(?:{_ESCAPE}[{_QUERY}]*)*)?"
)
_PLAIN: Final = re.compile(_PLAIN_TEXT)
# For compiled loops: which bytes may be escaped.
_ESCAPED: Final = np.array([re.fullmatch(_ESCAPE, f"%{byte:02X}") is not None for byte in range(256)]).view(np.uint8)
_PARTS: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.DOTALL)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_LABEL: Final = re.compile(r"[a-z0-9_-]{1,63}")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_ZEROS: Final = re.compile(r"\b0(?::0)+\b")
_PORT: Final = re.compile(r"[0-9]{1,5}")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_DECODED: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_TO_ENCODE: Final = {
    "path": re.compile(rf"%([0-9A-Fa-f]{{2}})|([^{_PATH}])"),
    "query": re.compile(rf"%([0-9A-Fa-f]{{2}})|([^{_QUERY}])"),
}


def canonical_url(url: str) -> str:
    """Return the canonical ASCII form of an http or https URL of at most 8 KiB; applying it again changes
    nothing. White space around it is dropped; :class:`InputError` says which part is wrong.
    """
    if not isinstance(url, str):
        raise InputError.field("url", "a text", url)
    text = url.strip(" \t\r\n\f\v")
    _check_size(text)
    if _PLAIN.fullmatch(text) and "/." not in text:
        return text
    if _CONTROL.search(text):
        raise InputError.field("url", "no control characters", url)
    parts = _PARTS.fullmatch(text)
    if parts is None:
        raise InputError.field("url", "an absolute http or https URL", url)
    scheme, authority, path, query = parts.groups()
    scheme = scheme.lower()
    if scheme not in _DEFAULT_PORTS:
        raise InputError.field("url", "the scheme http or https", scheme)
    canonical = f"{scheme}://{_authority(authority, scheme)}{_path(path)}"
    if query:
        canonical += "?" + _encode(query, "query")
    _check_size(canonical)
    return canonical


def url_key(url: str) -> bytes:
    """Return the 16 bytes under which the address is indexed: the first half of SHA-256 of its canonical form."""
    return hashlib.sha256(canonical_url(url).encode("ascii")).digest()[:KEY_BYTES]


def url_keys(
    urls: Sequence[str | None] | pa.Array | pa.ChunkedArray,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Return n × 16 key bytes and which rows are valid URLs: :func:`url_key` for a whole column.

    An Arrow column of strings is faster than a list. Rows that are null or not a URL are zero and not valid.
    """
    if hasattr(urls, "type"):
        if (loops := hashing_of(len(urls))) is not None:
            return _many_keys(loops, _texts(urls))
        encoded = _encoded_arrow(_texts(urls))
    else:
        encoded = [_encoded(url) for url in urls]
    valid = np.array([item is not None for item in encoded], dtype=np.bool_)
    sha256 = hashlib.sha256
    joined = b"".join([sha256(item or b"").digest() for item in encoded])
    keys = np.frombuffer(joined, dtype=np.uint8).reshape(-1, 32)[:, :KEY_BYTES].copy()
    keys[~valid] = 0
    return keys, valid


def _encoded(url: str | None) -> bytes | None:
    if url is None:
        return None
    try:
        return canonical_url(url).encode("ascii")
    except InputError:
        return None


def _texts(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    import pyarrow as pa

    try:
        return column.cast(pa.large_string())
    except pa.ArrowException as error:
        raise InputError.field("urls", "a column of strings", str(column.type)) from error


def _many_keys(
    loops: ModuleType, texts: pa.Array | pa.ChunkedArray
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    import pyarrow as pa

    from licet.compiled.texts import flat

    whole = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    starts, text = flat(whole)
    there = whole.is_valid().to_numpy(zero_copy_only=False).view(np.uint8)
    keys, found = np.zeros((len(texts), KEY_BYTES), np.uint8), np.empty(len(texts), np.uint8)
    spread(
        lambda first, last: loops.addresses(text, starts, there, _ESCAPED, MAX_URL_BYTES, first, last, keys, found),
        len(texts),
    )
    valid = found == loops.KEYED
    for row in np.flatnonzero(found == loops.OTHER).tolist():
        encoded = _encoded(text[starts[row] : starts[row + 1]].tobytes().decode("utf-8", "surrogateescape"))
        if encoded is not None:
            keys[row] = np.frombuffer(hashlib.sha256(encoded).digest()[:KEY_BYTES], np.uint8)
            valid[row] = True
    return keys, valid


def _encoded_arrow(texts: pa.Array | pa.ChunkedArray) -> list[bytes | None]:
    import pyarrow as pa
    import pyarrow.compute as pc

    plain = pc.and_(
        pc.match_substring_regex(texts, pattern=rf"\A{_PLAIN_TEXT}\z"),
        pc.and_(
            pc.invert(pc.match_substring(texts, pattern="/.")),
            pc.less_equal(pc.binary_length(texts), MAX_URL_BYTES),
        ),
    )
    encoded: list[bytes | None] = texts.cast(pa.large_binary()).to_pylist()
    # Null stays null in `plain` and is not visited: its item is None already.
    for index in pc.indices_nonzero(pc.invert(plain)).to_pylist():
        item = encoded[index]
        encoded[index] = None if item is None else _encoded(item.decode("utf-8", "surrogateescape"))
    return encoded


def _check_size(text: str) -> None:
    try:
        size = len(text) if text.isascii() else len(text.encode("utf-8"))
    except UnicodeEncodeError as error:
        raise InputError.field("url", "text without lone surrogates", text) from error
    if size > MAX_URL_BYTES:
        raise InputError.field("url", f"at most {MAX_URL_BYTES:,} bytes", f"{size:,} bytes")


def _authority(authority: str, scheme: str) -> str:
    if "@" in authority:
        raise InputError("url: expected no user name or password before the host", field="url")
    host, port = authority, ""
    if ":" in authority and not authority.endswith("]"):
        host, _, port = authority.rpartition(":")
    canonical = _ipv6(host) if host.startswith("[") else _host(host)
    if not port:
        return canonical
    if not _PORT.fullmatch(port) or not 1 <= int(port) <= 65535:
        raise InputError.field("url", "a port from 1 to 65535", port)
    return canonical if int(port) == _DEFAULT_PORTS[scheme] else f"{canonical}:{int(port)}"


def _ipv6(host: str) -> str:
    try:
        if not host.endswith("]") or "%" in host:
            raise ValueError(host)
        packed = ipaddress.IPv6Address(host[1:-1]).packed
    except ValueError as error:
        raise InputError.field("url", "an IPv6 address without zone in brackets", host) from error
    # By hand: Python 3.13 began to write mapped IPv4 addresses with dots.
    groups = ":".join(f"{group:x}" for group in struct.unpack(">8H", packed))
    runs = [run.span() for run in _ZEROS.finditer(groups)]
    start, end = max(runs, key=lambda run: run[1] - run[0], default=(0, 0))
    return f"[{groups[:start].rstrip(':')}::{groups[end:].lstrip(':')}]" if end else f"[{groups}]"


def _host(host: str) -> str:
    name = _ascii_host(host).removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise InputError.field("url", "a host name", host)
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError as error:
            raise InputError.field("url", "a host name or four decimal numbers", host) from error
    return name


def _ascii_host(host: str) -> str:
    if "%" in host:
        from urllib.parse import unquote_to_bytes

        try:
            host = unquote_to_bytes(host).decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError.field("url", "a host in UTF-8", host) from error
    if host.isascii():
        return host.lower()
    import idna

    # As browsers do, and unlike idna.encode, names that only IDNA 2008 forbids (emoji) are mapped, not refused.
    try:
        labels = idna.uts46_remap(host, std3_rules=False).split(".")
        return ".".join(
            label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii") for label in labels
        )
    except UnicodeError as error:
        raise InputError.field("url", "an internationalised host name", host) from error


def _path(path: str) -> str:
    kept: list[str] = []
    segments = _encode(path, "path").split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments and segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _encode(text: str, part: str) -> str:
    """Return ``text`` with every octet either as itself or as an upper-case escape, each in one way only."""
    return _TO_ENCODE[part].sub(_encode_match, text)


def _encode_match(match: re.Match[str]) -> str:
    escaped, other = match.groups()
    if escaped is None:
        return "".join(f"%{octet:02X}" for octet in other.encode("utf-8"))
    octet = int(escaped, 16)
    return chr(octet) if octet in _DECODED else f"%{octet:02X}"
