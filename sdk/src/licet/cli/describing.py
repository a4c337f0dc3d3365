"""``licet dataset croissant`` and ``licet dataset summary``: a dataset in forms that others ask for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from cyclopts import Parameter

from licet.cli.output import COMMON, Common, note, show
from licet.cli.wording import refuse_existing, refuse_result
from licet.counted import many
from licet.errors import InputError

if TYPE_CHECKING:
    from licet.client import Client
    from licet.wire.register import DatasetShown, ModelVersionInfo

_OUT = Annotated[Path, Parameter(name=["--out", "-o"], help="The file to write.")]
_OWN = Annotated[bool, Parameter(negative="", help="Read your organisation's own entries, those held back too.")]
_OVERWRITE = Annotated[bool, Parameter(negative="", help="Replace the file of -o if it is there.")]
_MOST: int = 32 << 20


def croissant(
    dataset: str,
    /,
    *,
    out: _OUT,
    licence_url: Annotated[str | None, Parameter(help="Where the terms of the dataset as a whole are.")] = None,
    own: _OWN = False,
    overwrite: _OVERWRITE = False,
    common: Common = COMMON,
) -> None:
    """Write a dataset's description in Croissant 1.1: counts, terms as an ODRL policy, and files where they are here.

    Parameters
    ----------
    dataset
        dst_… of the register, or OUT, OUT.manifest.json or OUT.decisions.parquet of `licet filter`.
    """
    from licet.datasets.results.croissant import from_entry, from_files
    from licet.datasets.results.manifest import write_whole

    _may_write(out, overwrite=overwrite)
    if dataset.startswith("dst_"):
        with common.client() as client:
            described = from_entry(_entry(client, dataset, own=own), client.url, licence_url=licence_url)
    else:
        described = from_files(Path(dataset).expanduser(), licence_url=licence_url)
    write_whole(out, msgspec.json.format(msgspec.json.encode(described)) + b"\n")
    files, sets = len(described["distribution"]), len(described["recordSet"])
    line = f"{out}: Croissant 1.1 of {described['name']}, {many(files, 'file')}, {many(sets, 'record set')}."
    show(common, {"out": str(out), "conforms_to": described["conformsTo"], "files": files, "record_sets": sets}, [line])


def summary(
    subject: str,
    /,
    *,
    out: _OUT,
    lang: Annotated[Literal["en", "zh"], Parameter(help="The language to write it in.")] = "en",
    fill: Annotated[Path | None, Parameter(help="A JSON object of lines by their id, for what is left blank.")] = None,
    own: _OWN = False,
    overwrite: _OVERWRITE = False,
    common: Common = COMMON,
) -> None:
    """Write the public summary of training content (EU AI Act, Art. 53(1)(d)) as far as the register knows it.

    The file is HTML or JSON by its ending. What the register cannot know stays a blank with its name.

    Parameters
    ----------
    subject
        dst_…, or a model as ORG/NAME@VERSION or mdl_…@VERSION.
    """
    from licet.datasets.results.manifest import write_whole
    from licet.datasets.results.summary import summary_of, to_html

    _may_write(out, overwrite=overwrite)
    if out.suffix not in (".html", ".json"):
        raise InputError.field("-o", "a name that ends in .html or .json", str(out))
    said = None if fill is None else _said(fill)
    with common.client() as client:
        version, datasets, provider = _subject(client, subject, own=own)
        found = summary_of(datasets, client.url, version=version, provider=provider, said=said, language=lang)
    data = to_html(found).encode() if out.suffix == ".html" else msgspec.json.format(msgspec.json.encode(found)) + b"\n"
    write_whole(out, data)
    if found.blanks:
        note(f"{many(len(found.blanks), 'line')} left blank for the provider: {', '.join(found.blanks)}")
    show(
        common, {"out": str(out), "summary": found}, [f"{out}: summary of {found.subject}, template {found.template}."]
    )


def _may_write(out: Path, *, overwrite: bool) -> None:
    refuse_result("-o", out, ())
    refuse_existing(out, overwrite=overwrite)


def _entry(client: Client, dataset: str, *, own: bool) -> DatasetShown:
    return client.dataset_version(dataset) if own else client.registered_dataset(dataset)


def _subject(
    client: Client, subject: str, *, own: bool
) -> tuple[ModelVersionInfo | None, list[DatasetShown], str | None]:
    from licet.datasets.usage.models import find

    if subject.startswith("dst_"):
        entry = _entry(client, subject, own=own)
        return None, [entry], entry.organisation.name
    name, _, version = subject.partition("@")
    if not version:
        raise InputError.field("subject", "dst_…, ORG/NAME@VERSION or mdl_…@VERSION", subject)
    model = find(client, name, public=not own)
    pages = client.model_versions if own else client.registered_versions
    found = next(iter(pages(model.model, version=version)), None)
    if found is None:
        raise InputError.field("subject", f"a version of {model.name} in the register", version)
    if found.datasets > len(found.trained_on):
        note(f"{found.datasets - len(found.trained_on):,} more versions of datasets are not in the summary")
    datasets = [_entry(client, each.dataset, own=own) for each in found.trained_on]
    return found, datasets, model.organisation.name


def _said(path: Path) -> dict[str, str]:
    try:
        if path.stat().st_size > _MOST:
            raise InputError(f"{path}: expected at most {_MOST} bytes")
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except OSError as error:
        raise InputError(f"{path}: expected a readable file, got {error.strerror}") from None
    except (ValueError, msgspec.MsgspecError):
        raise InputError(f"{path}: expected a JSON object of text by line, got something else") from None
