"""A dataset in Croissant 1.1 (MLCommons): JSON-LD that says what was decided of its rows, under which terms they stand.

Made from a manifest with the files beside it, or from an entry of the register, which has no files. The terms are an
ODRL policy under ``usageInfo``: what is permitted to whom, and of how many rows and works that is true.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import file_digest
from pathlib import Path
from typing import Any, Final

from licet.datasets.results.decisions_file import DecisionsFile
from licet.datasets.results.manifest import ReadManifest, beside, read_manifest
from licet.errors import InputError
from licet.wire.register import DatasetShown

CONFORMS_TO: Final = "http://mlcommons.org/croissant/1.1"
_MOST_FILES: Final = 10_000
_CONTEXT: Final[dict[str, Any]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "licet": "https://licet.example/ns#",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "odrl": "http://www.w3.org/ns/odrl/2/",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
#: Columns of a decisions file that a reader of records gets.
_COLUMNS: Final[Mapping[str, str]] = {
    "part": "sc:Text",
    "row": "sc:Integer",
    "path": "sc:Text",
    "url": "sc:URL",
    "verdict": "sc:Text",
    "reason": "sc:Text",
    "work": "sc:Text",
    "statement": "sc:Text",
    "licence": "sc:Text",
    "price": "sc:Text",
    "currency": "sc:Text",
    "sha256": "sc:Text",
}
_KEPT: Final[Mapping[str, str]] = {
    ".parquet": "application/vnd.apache.parquet",
    ".csv": "text/csv",
    ".jsonl": "application/jsonlines",
    ".tar": "application/x-tar",
}


def from_files(given: Path, *, licence_url: str | None = None) -> dict[str, Any]:
    """Return the description of what ``licet filter`` wrote: ``given`` is its manifest, its decisions or its output.

    Raises ``InputError`` where there is no manifest, ``VerificationError`` where its signature does not hold.
    """
    manifest, out = _manifest(given)
    payload = manifest.payload
    files = list(_files(out))
    described = _described(
        identifier=payload.dataset,
        name=payload.name,
        version="1.0.0",
        date=payload.decided_at,
        creator=payload.organisation,
        url=f"urn:licet:{payload.dataset}",
        licence_url=licence_url,
        counts=payload.counts,
        rows=payload.rows,
        kept=payload.kept,
        use=payload.use,
        unknown_policy=payload.unknown_policy,
        terms={},
        proof={"licet:manifest": manifest.digest, "licet:snapshot": payload.snapshot},
    )
    described["distribution"] = files
    decisions = [each["@id"] for each in files if each["@id"].endswith(".decisions.parquet")]
    described["recordSet"] += [_decisions(identifier) for identifier in decisions]
    return described


def from_entry(entry: DatasetShown, url: str, *, licence_url: str | None = None) -> dict[str, Any]:
    """Return the description of a register's entry, read at ``url``: it has counts and terms, and no files."""
    return _described(
        identifier=entry.dataset,
        name=entry.name,
        version=f"{entry.version}.0.0",
        date=entry.decided_at,
        creator=entry.organisation.name or entry.organisation.id,
        url=f"{url}/en/register/datasets/{entry.dataset}",
        licence_url=licence_url,
        counts=entry.counts,
        rows=entry.rows,
        kept=entry.kept,
        use=entry.use or {},
        unknown_policy=entry.unknown_policy,
        terms=entry.terms,
        proof={
            "licet:manifest": entry.manifest,
            "licet:snapshot": entry.snapshot,
            "licet:logIndex": entry.log_index,
            "licet:statement": f"{url}/v1/register/statements/{entry.dataset}",
        },
    )


def _described(
    *,
    identifier: str,
    name: str,
    version: str,
    date: str,
    creator: str | None,
    url: str,
    licence_url: str | None,
    counts: Mapping[str, int],
    rows: int,
    kept: int,
    use: Mapping[str, Any],
    unknown_policy: str | None,
    terms: Mapping[str, int],
    proof: Mapping[str, Any],
) -> dict[str, Any]:
    said = ", ".join(f"{count:,} {verdict}" for verdict, count in counts.items())
    policy = f"{identifier}/policy"
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "@id": identifier,
        "name": name,
        "description": f"{kept:,} of {rows:,} rows were kept once held against artists' signed terms: {said}.",
        "url": url,
        "version": version,
        "datePublished": date,
        "citeAs": f"{creator or ''}{': ' if creator else ''}{name}, version {version}, {date[:10]}, {url}",
        "license": licence_url or f"urn:licet:{policy}",
        **({"creator": {"@type": "sc:Organization", "name": creator}} if creator else {}),
        "usageInfo": _policy(policy, counts, use, unknown_policy, terms),
        **{key: value for key, value in proof.items() if value is not None},
        "distribution": [],
        "recordSet": [_counts(counts)],
    }


def _policy(
    policy: str, counts: Mapping[str, int], use: Mapping[str, Any], unknown_policy: str | None, terms: Mapping[str, int]
) -> dict[str, Any]:
    """Return the ODRL policy: rows that may be used as declared, that may once paid for, that may not."""
    actions = [{"@id": f"licet:{atom}"} for atom in _texts(use.get("uses"))]
    purposes = [
        {
            "@type": "odrl:Constraint",
            "odrl:leftOperand": {"@id": "odrl:purpose"},
            "odrl:operator": {"@id": "odrl:eq"},
            "odrl:rightOperand": purpose,
        }
        for purpose in _texts(use.get("purpose"))
    ]

    def rule(kind: str, verdict: str, **more: Any) -> dict[str, Any]:
        return {
            "@type": f"odrl:{kind}",
            "odrl:action": actions,
            **({"odrl:constraint": purposes} if purposes else {}),
            "licet:verdict": verdict,
            "licet:rows": counts.get(verdict, 0),
            **more,
        }

    duties = [
        {"@type": "odrl:Duty", "odrl:action": {"@id": _DUTIES.get(price, "odrl:compensate")}, "licet:price": price}
        | {"licet:works": works}
        for price, works in terms.items()
    ] or [{"@type": "odrl:Duty", "odrl:action": {"@id": "odrl:obtainConsent"}}]
    return {
        "@type": "odrl:Set",
        "@id": f"urn:licet:{policy}",
        "odrl:permission": [
            rule("Permission", "allow"),
            rule("Permission", "license", **{"odrl:duty": duties}),
        ],
        "odrl:prohibition": [
            rule("Prohibition", "deny"),
            rule("Prohibition", "review"),
            # Nobody speaks for these: no consent, whatever was done with them.
            rule("Prohibition", "unknown", **({"licet:policy": unknown_policy} if unknown_policy else {})),
        ],
    }


_DUTIES: Final = {"attribution": "odrl:attribute", "free": "odrl:inform"}


def _counts(counts: Mapping[str, int]) -> dict[str, Any]:
    names = {"verdict": "sc:Text", "rows": "sc:Integer"}
    return {
        "@type": "cr:RecordSet",
        "@id": "counts",
        "name": "counts",
        "description": "Rows by what was decided of them.",
        "field": [
            {"@type": "cr:Field", "@id": f"counts/{name}", "name": name, "dataType": kind}
            for name, kind in names.items()
        ],
        "data": [{"counts/verdict": verdict, "counts/rows": count} for verdict, count in counts.items()],
    }


def _decisions(file: str) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": f"{file}/rows",
        "name": "decisions",
        "description": "Every row with what was decided of it, and why.",
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{file}/rows/{name}",
                "name": name,
                "dataType": kind,
                "source": {"fileObject": {"@id": file}, "extract": {"column": name}},
            }
            for name, kind in _COLUMNS.items()
        ],
    }


def _manifest(given: Path) -> tuple[ReadManifest, Path]:
    out = given
    for ending in (".decisions.parquet", ".manifest.json"):
        if given.name.endswith(ending):
            out = given.with_name(given.name.removesuffix(ending))
    path = beside(out, "manifest.json")
    if not path.is_file():
        raise InputError(f"{path}: expected the manifest of `licet filter` there; filter the dataset first")
    manifest = read_manifest(path)
    if beside(out, "decisions.parquet").exists():
        DecisionsFile.find(path)  # it is what it says it is
    return manifest, out


def _files(out: Path) -> Iterator[dict[str, Any]]:
    """Yield the files that are here: what was kept, where it is one file of a known form, and the decisions."""
    if out.is_file() and (kind := _KEPT.get(out.suffix)):
        yield _file(out, out.name, kind)
    decisions = beside(out, "decisions.parquet")
    if decisions.is_file():
        yield _file(decisions, decisions.name, _KEPT[".parquet"])
    elif decisions.is_dir():
        parts = sorted(each for each in decisions.rglob("*.parquet") if each.is_file())
        if len(parts) > _MOST_FILES:
            raise InputError(f"{decisions}: expected at most {_MOST_FILES} files of decisions, got {len(parts)}")
        for part in parts:
            yield _file(part, f"{decisions.name}/{part.relative_to(decisions).as_posix()}", _KEPT[".parquet"])


def _file(path: Path, name: str, kind: str) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
        size = path.stat().st_size
    except OSError as error:
        raise InputError(f"{path}: expected a readable file, got {error.strerror}") from None
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{size} B",
        "encodingFormat": kind,
        "sha256": digest,
    }


def _texts(value: Any) -> Sequence[str]:
    found = value if isinstance(value, list) else [value]
    return [each for each in found if isinstance(each, str)]
