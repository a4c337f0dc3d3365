"""What the erasure of an account takes and leaves, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from licet.counted import many

if TYPE_CHECKING:
    from licet.wire.erasure import ErasureAnswer

_WHY = {
    "licence": "a licence rests on it",
    "use": "a use that was reported rests on it",
    "dispute": "its work is in dispute",
    "evidence": "the others cannot be verified without it",
}


def told(answer: ErasureAnswer) -> list[str]:
    """Return what an erasure takes and what it leaves, or would."""
    would, go = ("would be", "would go on") if answer.dry_run else ("are", "go on")
    gone = "name, titles, tags, addresses, small pictures, keys and tokens"
    denied = f"{many(answer.denied, 'work')} of {answer.works:,} {go} to deny every use, without a name."
    none = "No deny stays: filters will not know the works any more."
    lines = [
        f"{many(answer.erased, 'signed statement')} {would} erased with the log's salts, and {gone}.",
        denied if answer.denied else none,
    ]
    if answer.kept:
        ends = answer.restricted[0].ends_at[:10]
        lines.append(
            f"{many(answer.kept, 'statement')} {would} kept until {ends}, shown to auditors and to those who rely on "
            f"them alone:"
        )
        lines += [f"  {each.statement}  {each.kind}  {_WHY.get(each.why, each.why)}" for each in answer.restricted[:20]]
        if answer.kept > 20:
            lines.append(f"  … and {answer.kept - 20:,} more")
    return lines


def erasing(planned: ErasureAnswer) -> Iterator[str]:
    """Say what is about to be erased, before it is asked for."""
    yield from told(planned)
    yield "The log never held more than commitments; receipts and statement files that you or others hold still verify."
    yield "This cannot be undone, and no token of the account will work afterwards."
