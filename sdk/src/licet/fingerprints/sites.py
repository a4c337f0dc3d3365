"""Sites: everything below a host and a path, as one rule names it; and which rules an address falls under.

A site is written as its host, then its path by whole segments: ``example.org``, ``example.org/gallery``. It covers the
host itself and every host below it, whatever the scheme and port, and every address whose path begins with these
segments: ``/gallery`` and ``/gallery/2024/a.png``, not ``/gallery2``. Empty segments count for nothing, because servers
merge them. Spelling is that of :func:`licet.fingerprints.urls.canonical_url`, for sites as for addresses.

A slash that is escaped (``/gallery%2Fa.png``) parts no segments by RFC 3986, and does on many servers, as a backslash
does for browsers. Such an address falls under the rules of both readings: a rule misses nothing that a server may have
taken from below it.

The key of a site is 16 bytes: eight of the SHA-256 of its host, eight of that of the whole text. So all rules of a host
lie together, and one look tells whether there is any before a path is looked at. An address falls under at most
``MOST_HOSTS`` × ``MOST_PATHS`` rules, however long it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from licet.errors import InputError
from licet.fingerprints.exact import KEY_BYTES
from licet.fingerprints.urls import canonical_url

if TYPE_CHECKING:
    import pyarrow as pa

MAX_LABELS: Final = 10
MAX_SEGMENTS: Final = 8
MOST_HOSTS: Final = MAX_LABELS - 1  # of two labels and more
MOST_PATHS: Final = 2 * MAX_SEGMENTS + 1  # of both readings; the host itself is in each
MAX_SITE: Final = 1024  # characters

Probes = tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64], npt.NDArray[np.uint64]]
Held = Callable[[npt.NDArray[np.uint64]], npt.NDArray[np.bool_]]

_HALF: Final = KEY_BYTES // 2
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_SCHEME: Final = re.compile(r"(?:https?)://", re.IGNORECASE)
# Hosts that are canonical as they stand, as nearly all in datasets are.
_PLAIN_HOST: Final = re.compile(r"(?:[a-z0-9_-]{1,41}\.){1,5}[a-z][a-z0-9_-]{0,40}", re.ASCII)
_SLASH: Final = ord("/")
_LONGEST_HOST: Final = 253
NONE_ASKED: Final[Probes] = np.empty(0, np.int64), np.empty(0, np.uint64), np.empty(0, np.uint64)


def site_of(text: str) -> str:
    """Return the canonical form of a site: ``host`` or ``host/path``, without a slash at its end.

    An address of it (``https://example.org/gallery/``) is taken as well. Raises ``InputError`` naming ``site`` for a
    number, a host of one label or more than 10, a port, a query, more than 8 segments, and whatever is no address.
    """
    if not isinstance(text, str) or len(text) > MAX_SITE:
        raise InputError.field("site", f"at most {MAX_SITE} characters", text)
    bare = text.strip()
    scheme = _SCHEME.match(bare)
    try:
        canonical = canonical_url(bare if scheme else f"http://{bare}")
    except InputError as error:
        raise InputError(f"site: {error.message.removeprefix('url: ')}", field="site") from None
    if "?" in bare or "#" in bare:
        raise InputError.field("site", "a host and a path, without query and fragment", text)
    host, segments = _taken_apart(canonical)
    if ":" in canonical.partition("://")[2].partition("/")[0].rpartition("]")[2]:
        raise InputError.field("site", "a host without a port, because a site covers all of them", text)
    labels = host.split(".")
    if not 2 <= len(labels) <= MAX_LABELS or not all(map(_LABEL.fullmatch, labels)) or labels[-1].isdigit():
        raise InputError.field("site", f"a host name of 2 to {MAX_LABELS} labels, such as example.org", text)
    if len(segments) > MAX_SEGMENTS:
        raise InputError.field("site", f"a path of at most {MAX_SEGMENTS} segments", text)
    site = "/".join((host, *segments))
    if len(site) > MAX_SITE:
        raise InputError.field("site", f"at most {MAX_SITE} characters", f"{len(site)} characters")
    return site


def host_of(site: str) -> str:
    """Return the host of a canonical site."""
    return site.partition("/")[0]


def is_below(host: str, domain: str) -> bool:
    """Return whether ``host`` is ``domain`` or lies below it, label by label; both canonical."""
    return host == domain or host.endswith(f".{domain}")


def site_key(site: str) -> bytes:
    """Return the 16 bytes under which a canonical site is indexed."""
    return _hash(host_of(site)) + _hash(site)


def sites_above(url: str) -> Iterator[str]:
    """Yield every site that could be stated and covers ``url``; raises ``InputError`` for no http or https address."""
    address = canonical_url(url).partition("?")[0]
    host, segments = _taken_apart(address)
    parted = address.replace("%2F", "/").replace("%5C", "/")  # escapes are in upper case
    others = [] if parted == address else _taken_apart(canonical_url(parted))[1]
    for suffix in _suffixes(host):
        above = accumulate((suffix, *segments[:MAX_SEGMENTS]), "{}/{}".format)
        if not others:
            yield from above
            continue
        yield from dict.fromkeys(chain(above, accumulate((suffix, *others[:MAX_SEGMENTS]), "{}/{}".format)))


def probes(addresses: Any, held: Held) -> Probes:
    """Return (row, hi, lo) of the keys of all sites above each address whose host has any rule, as ``held`` tells.

    ``addresses`` are texts or an Arrow column of strings; ``held`` says of the first halves of keys which are in the
    index. Rows without an address, and with one that is none, ask for nothing.
    """
    rows, urls = _below_ruled_hosts(addresses, held)
    found: list[tuple[int, bytes]] = []
    for row, url in zip(rows, urls, strict=True):
        try:
            found += ((row, site_key(site)) for site in sites_above(url))
        except InputError:
            continue
    if not found:
        return NONE_ASKED
    words = np.frombuffer(b"".join(key for _, key in found), ">u8").reshape(-1, 2).astype(np.uint64)
    there = held(words[:, 0].copy())
    asking = np.array([row for row, _ in found], np.int64)
    return asking[there], words[there, 0].copy(), words[there, 1].copy()


def _below_ruled_hosts(addresses: Any, held: Held) -> tuple[list[int], list[str]]:
    """Return the rows whose host, or one above it, has a rule, and their addresses."""
    if hasattr(addresses, "type"):
        hosts, of_row, texts = _hosts_of_column(addresses)
    else:
        named = [_host_of(url) for url in addresses]
        numbers: dict[str, int] = {}
        of_row = np.array([-1 if host is None else numbers.setdefault(host, len(numbers)) for host in named], np.int64)
        hosts, texts = list(numbers), lambda rows: [addresses[row] for row in rows]
    asked = [(number, _hash(suffix)) for number, host in enumerate(hosts) for suffix in _suffixes(host)]
    if not asked:
        return [], []
    there = held(np.frombuffer(b"".join(half for _, half in asked), ">u8").astype(np.uint64))
    ruled = np.zeros(len(hosts) + 1, np.bool_)  # the last: rows without a host
    ruled[np.array([number for number, _ in asked], np.int64)[there]] = True
    rows = np.flatnonzero(ruled[of_row]).tolist()
    return rows, texts(rows)


def _hosts_of_column(column: pa.Array) -> tuple[list[str], npt.NDArray[np.int64], Any]:
    """Return the distinct hosts of a column, the number of each row's host (−1 without), and what reads its rows."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    texts = texts.cast(pa.large_string())

    def at(rows: Sequence[int]) -> list[str]:
        # Bytes that are no text are no address either.
        data = texts.take(pa.array(rows, pa.int64())).cast(pa.large_binary()).to_pylist()
        return [each.decode("utf-8", "surrogateescape") for each in data]

    encoded = _hosts_as_they_stand(texts).dictionary_encode()
    hosts: list[str] = [each.decode("ascii", "replace") for each in encoded.dictionary.to_pylist()]
    of_row = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    # What stands there otherwise spelt is no host yet: it is taken apart below, and by its row alone.
    good = np.array([*(_PLAIN_HOST.fullmatch(host) is not None for host in hosts), False], np.bool_)
    plain = good[of_row]
    of_row = np.where(plain, (np.cumsum(good) - 1)[of_row], -1)
    numbers = {
        name: number for number, name in enumerate(host for host, is_so in zip(hosts, good, strict=False) if is_so)
    }
    others = np.flatnonzero(~plain & texts.is_valid().to_numpy(zero_copy_only=False)).tolist()
    for row, url in zip(others, at(others), strict=True):
        name = _host_of(url)
        if name is not None:
            of_row[row] = numbers.setdefault(name, len(numbers))
    return list(numbers), of_row, at


def _hosts_as_they_stand(texts: pa.Array) -> pa.Array:
    """Return what lies between the second and the third slash of each address that begins with ``http://`` or
    ``https://``, as bytes; null for others."""
    import pyarrow as pa

    from licet.compiled.texts import flat

    starts, text = flat(texts)
    starts = np.asarray(starts, np.int64)
    begin, end = starts[:-1], starts[1:]
    slashes = np.append(np.flatnonzero(text == _SLASH), [len(text)] * 3)
    at = np.searchsorted(slashes[:-3], begin)
    first, low, high = slashes[at], slashes[at + 1] + 1, slashes[at + 2]
    scheme = first - begin  # with its colon: http: or https:
    fits = (slashes[at + 1] == first + 1) & (high < end) & (high - low <= _LONGEST_HOST)
    there = np.zeros(len(begin), np.bool_)
    for name in (b"http:", b"https:"):
        rows = np.flatnonzero(fits & (scheme == len(name)))
        same = np.ones(len(rows), np.bool_)
        for place, byte in enumerate(name):
            same &= text[begin[rows] + place] == byte
        there[rows[same]] = True
    there &= texts.is_valid().to_numpy(zero_copy_only=False)
    size = np.where(there, high - low, 0)
    ends = np.cumsum(size)
    place = np.arange(int(size.sum()), dtype=np.int64) + np.repeat(low - ends + size, size)
    offsets = pa.py_buffer(np.concatenate(([0], ends)).astype(np.int64))
    validity = pa.py_buffer(np.packbits(there, bitorder="little"))
    data = pa.py_buffer(np.ascontiguousarray(text[place]))
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(there), [validity, offsets, data])


def _host_of(url: str | None) -> str | None:
    try:
        return None if url is None else _taken_apart(canonical_url(url))[0]
    except InputError:
        return None


def _taken_apart(canonical: str) -> tuple[str, list[str]]:
    """Return host, without its port, and the segments of the path that are not empty."""
    authority, _, rest = canonical.partition("://")[2].partition("/")
    host = authority if authority.endswith("]") else authority.partition(":")[0]
    return host, [segment for segment in rest.partition("?")[0].split("/") if segment]


def _suffixes(host: str) -> list[str]:
    labels = host.split(".")
    first = max(len(labels) - MAX_LABELS, 0)
    return [".".join(labels[at:]) for at in range(first, len(labels) - 1)]


def _hash(text: str) -> bytes:
    return sha256(text.encode("ascii")).digest()[:_HALF]
