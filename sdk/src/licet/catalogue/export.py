"""The works of an account and what it stated of them, taken home: a folder or a zip that appears whole or not at all.

::

    works.csv           a row a work: `licet register --from works.csv` reads it and finds everything unchanged
    works.json          the same in full
    statements.json     the list of statements
    statements/<id>.json    each with its proof, as `licet statement verify` takes it
    terms/<hash>.json   the terms that works are under, and <hash>.txt in words
    thumbnails/<work>.webp  where wanted: the small pictures of those that were sent
    account.json        who exported, from where, and when
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from licet import times
from licet.catalogue.sheet import write_rows
from licet.client import Client
from licet.errors import InputError, MalformedError
from licet.statements import envelope as envelopes
from licet.statements.kinds import Consent
from licet.terms import Terms, plain_text
from licet.wire.common import StatementFile
from licet.wire.works import Work

COLUMNS: Final = (
    "work", "sha256", "url", "site", "title", "creator", "created", "tags", "external_id", "terms",
    "state", "statement", "log_index", "registered_at",
)  # fmt: skip
#: What may become a file's name here: the service says it, and must not lead out of the folder.
_NAME: Final = re.compile(r"[0-9A-Za-z_-]{1,100}")


class Exported(msgspec.Struct, frozen=True):
    """How much there was."""

    works: int
    statements: int
    terms: int
    thumbnails: int


def export_works(
    client: Client,
    target: Path,
    *,
    overwrite: bool = False,
    thumbnails: bool = False,
    advance: Callable[[int], None] = lambda _: None,
) -> Exported:
    """Return once everything is in ``target``: a zip if it is named so, else a folder.

    Raises ``InputError`` where something is there already and may not be replaced; after any error it is as it was.
    """
    if target.exists() and not overwrite:
        raise InputError.field("-o", "a place where nothing is yet, or --overwrite", str(target))
    with whole(target) as folder:
        return _write(client, folder, advance, thumbnails=thumbnails)


def _write(client: Client, folder: Path, advance: Callable[[int], None], *, thumbnails: bool) -> Exported:
    works: list[Work] = []
    for work in client.works(sort="registered"):
        works.append(work)
        advance(1)
    statements = list(client.statements())
    terms: dict[str, Terms] = {}
    (folder / "statements").mkdir()
    for each in statements:
        data = client.statement_file(each.statement)
        (folder / "statements" / f"{_named(each.statement)}.json").write_bytes(data)
        envelope = msgspec.json.decode(data, type=StatementFile).envelope
        if envelope.kind == "consent":
            consent = envelopes.read_as(Consent, envelope)
            terms[_named(consent.terms_hash)] = Terms.parse({"vocab": consent.vocab, "terms": consent.terms})
        advance(1)
    (folder / "terms").mkdir()
    for key, each_terms in terms.items():
        document = {"vocab": each_terms.vocab, "terms": each_terms.to_json()}
        _json(folder / "terms" / f"{key}.json", document)
        (folder / "terms" / f"{key}.txt").write_text(plain_text(each_terms, "en") + "\n", "utf-8")
    account = client.need_account().account
    registry = client.registry()
    _json(
        folder / "account.json",
        {
            "account": account,
            "registry": {"url": client.url, "origin": registry.origin, "root": registry.root},
            "exported_at": times.to_text(times.now()),
        },
    )
    _json(folder / "statements.json", statements)
    _json(folder / "works.json", works)
    write_rows(folder / "works.csv", _rows(works, terms))
    kept = _thumbnails(client, folder / "thumbnails", works, advance) if thumbnails else 0
    return Exported(len(works), len(statements), len(terms), kept)


def _thumbnails(client: Client, folder: Path, works: Iterable[Work], advance: Callable[[int], None]) -> int:
    """Return how many small pictures were written; a work may have none, or be withdrawn meanwhile."""
    count = 0
    for work in works:
        if work.mode == "upload" and work.pixels is not None and not work.withdrawn:
            content = _thumbnail(client, work)
            if content is not None:
                folder.mkdir(exist_ok=True)
                (folder / f"{_named(work.work)}.webp").write_bytes(content)
                count += 1
            advance(1)
    return count


def _thumbnail(client: Client, work: Work) -> bytes | None:
    try:
        return client.thumbnail(work.work)
    except InputError as error:
        if error.status == 404:
            return None
        raise


def _named(text: str) -> str:
    """Return ``text``, which is to name a file; raises ``MalformedError`` for what no identifier and no digest is."""
    if not _NAME.fullmatch(text):
        raise MalformedError(f"the service: expected an identifier of a statement or terms, got {text!r}")
    return text


def _rows(works: Iterable[Work], terms: dict[str, Terms]) -> Iterator[list[str]]:
    yield list(COLUMNS)
    for work in works:
        if work.withdrawn:
            continue  # it cannot be registered or changed: works.json has it
        yield [
            work.work,
            work.sha256 or "",
            " ".join(work.urls),
            work.site or "",
            work.title or "",
            work.creator or "",
            work.created or "",
            _tags(work.tags),
            work.external_id or "",
            f"terms/{_stated(work)}.json" if _stated(work) in terms else "",
            work.state,
            work.statement or "",
            "" if work.log_index is None else str(work.log_index),
            work.registered_at,
        ]


def _stated(work: Work) -> str | None:
    """Return the hash of the terms that were stated last: what waits, else what is in force."""
    return work.waiting.terms_hash if work.waiting is not None else work.stated


def _tags(tags: list[str]) -> str:
    joined = "|".join(tags)
    return f"{joined}|" if len(tags) == 1 and ("," in joined or ";" in joined) else joined


def _json(path: Path, document: Any) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(document)) + b"\n")


@contextlib.contextmanager
def whole(target: Path) -> Iterator[Path]:
    """Give an empty folder that becomes ``target`` when the block ends: as it is, or as a zip."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        dir=target.parent, prefix=f".{target.name[:100]}.", ignore_cleanup_errors=True
    ) as made:
        inside = Path(made) / "export"
        inside.mkdir()
        yield inside
        if target.suffix.lower() == ".zip":
            packed = Path(made) / "export.zip"
            packed_as_zip(inside, packed)
            os.replace(packed, target)  # noqa: PTH105 - says what it does to what is there
            return
        if target.exists():
            aside = Path(made) / "before"
            target.rename(aside)
        inside.rename(target)


def packed_as_zip(folder: Path, packed: Path) -> None:
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                with path.open("rb") as source, file.open(path.relative_to(folder).as_posix(), "w") as goal:
                    shutil.copyfileobj(source, goal, io.DEFAULT_BUFFER_SIZE)
