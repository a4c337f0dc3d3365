"""Works, their keys, and the statements over them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote as escape

import msgspec

from licet.client.endpoints.listing import Listing, listed
from licet.errors import InputError, ServiceError
from licet.exchange.calls import Body, Call, Filters, get, post, reader
from licet.exchange.retrying import idempotency_key
from licet.identifiers import new_uuid
from licet.statements.envelope import Envelope
from licet.wire import publishing
from licet.wire import works as catalogue
from licet.wire.common import StatementFile

if TYPE_CHECKING:
    from licet.fingerprints.picture import Fingerprint

_PIECE: Final = 1 << 18  # bytes of an upload at a time


def upload(sha256: str, data: bytes | Path, media_type: str = "application/octet-stream") -> Call[Fingerprint]:
    """A picture, or a text where ``media_type`` says so, to be fingerprinted; a file is read anew for each attempt."""
    from licet.fingerprints.picture import Fingerprint  # brings the picture libraries: only for those who upload

    path = f"/v1/uploads/{escape(sha256, safe='')}"
    if isinstance(data, bytes):
        body = Body(data, media_type)
    else:
        try:
            size = data.stat().st_size
        except OSError as error:
            raise InputError(f"{data}: expected a readable file, got {error.strerror}") from None
        body = Body(lambda: _pieces(data), media_type, size)
    key = idempotency_key("PUT", path)  # the digest of the content is in the path
    return Call("uploadPicture", "PUT", path, reader(Fingerprint), body=body, key=key, scope="register")


def thumbnail(work: str) -> Call[bytes]:
    """A small picture of one of the caller's works."""

    def read(body: bytes) -> bytes:
        if not body.startswith(b"RIFF"):
            raise ServiceError("expected the service's protocol, got something else than a WEBP")
        return body

    return Call("getThumbnail", "GET", f"/v1/works/{escape(work, safe='')}/thumbnail", read, scope="register")


def published_terms(work: str) -> Call[publishing.PublishedTerms]:
    """What everybody is told of a work's terms."""
    return get("getWorkTerms", f"/works/{escape(work, safe='')}/terms.json", publishing.PublishedTerms)


def register_works(batch: Sequence[catalogue.WorkIn]) -> Call[catalogue.WorksRegistered]:
    """Works to register."""
    body = catalogue.WorksRegister(list(batch))
    return post("registerWorks", "/v1/works", body, catalogue.WorksRegistered, scope="register")


def works(limit: int | None, filters: Filters) -> Listing[catalogue.Work]:
    """The caller's works."""
    return listed("listWorks", "/v1/works", catalogue.Work, filters, limit, scope="register")


def work(work: str) -> Call[catalogue.Work]:
    """One of the caller's works."""
    return get("getWork", f"/v1/works/{escape(work, safe='')}", catalogue.Work, scope="register")


def find_works(
    files: Sequence[str], external_ids: Sequence[str], works: Sequence[str], addresses: Sequence[str] = ()
) -> Call[catalogue.WorksFound]:
    """The caller's works with these keys."""
    body = catalogue.WorksFind(list(files), list(external_ids), list(works), list(addresses))
    return post("findWorks", "/v1/works/find", body, catalogue.WorksFound, scope="register", reads=True)


def change_works(changes: Sequence[catalogue.WorkChange]) -> Call[catalogue.WorksChanged]:
    """Changes of metadata.

    Changes that name no revision may be meant again later, after others: their key is new each time.
    """
    body = catalogue.WorksChange(list(changes))
    key = None if all(change.revision is not None for change in changes) else new_uuid().hex
    return post("changeWorks", "/v1/works/changes", body, catalogue.WorksChanged, scope="register", key=key)


def change_work(work: str, change: catalogue.MetadataChange, revision: int | None) -> Call[catalogue.Work]:
    """A change of one work's metadata; without a revision it may be meant again later, so its key is new each time."""
    path = f"/v1/works/{escape(work, safe='')}"
    content = msgspec.json.encode(change)
    held = {} if revision is None else {"If-Match": f'"{revision}"'}
    key = new_uuid().hex if revision is None else idempotency_key("PATCH", path, str(revision), content)
    return Call(
        "changeWork", "PATCH", path, reader(catalogue.Work), body=Body(content), key=key, scope="register", headers=held
    )


def draft_statement(
    covered: Sequence[str] | None, terms: dict[str, Any], lang: Literal["en", "zh-Hans"]
) -> Call[catalogue.StatementDrafted]:
    """What would be signed."""
    body = catalogue.StatementDraft(None if covered is None else list(covered), terms, lang)
    return post(
        "draftStatement", "/v1/statements/draft", body, catalogue.StatementDrafted, scope="register", reads=True
    )


def submit_statement(
    envelope: Envelope, covered: Sequence[str], adds: Sequence[catalogue.WorkKeys] = ()
) -> Call[catalogue.StatementAccepted]:
    """A signed statement about works, and what it adds to them if it is an update of keys."""
    body = catalogue.StatementSubmit(envelope, list(covered), list(adds))
    return post("submitStatement", "/v1/statements", body, catalogue.StatementAccepted, scope="register")


def attest_statement(envelope: Envelope, covered: Sequence[str]) -> Call[catalogue.StatementAccepted]:
    """A statement for the registry to sign in the account's place."""
    body = catalogue.StatementSubmit(envelope, list(covered))
    return post("attestStatement", "/v1/statements/attest", body, catalogue.StatementAccepted, scope="account")


def statements(limit: int | None, filters: Filters) -> Listing[catalogue.StatementInfo]:
    """The caller's own statements."""
    return listed("listStatements", "/v1/statements", catalogue.StatementInfo, filters, limit, scope="register")


def statement_file(statement: str) -> Call[bytes]:
    """A statement file, as sent."""
    holds = reader(StatementFile)

    def read(body: bytes) -> bytes:
        holds(body)
        return body

    return Call("getStatementFile", "GET", f"/v1/statements/{escape(statement, safe='')}", read)


def statement_receipt(statement: str) -> Call[bytes]:
    """A COSE receipt, as sent."""
    return Call("getStatementReceipt", "GET", f"/v1/statements/{escape(statement, safe='')}/receipt.cose", bytes)


def _pieces(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece
    except OSError as error:
        raise InputError(f"{path}: expected a readable file, got {error.strerror}") from None
