"""Every number at `/metrics`, as the service itself defines it."""

from __future__ import annotations

from registry.observing.meters import COUNTED, READ
from tools.documentation.markdown import plain, table


def page() -> str:
    """Return the page of the metrics."""
    counted = [(f"`{each.name}`", each.kind, _labels(each.labels), plain(each.about)) for each in COUNTED]
    read = [(f"`{each.name}`", each.kind, plain(each.about)) for each in READ]
    return (
        "# Metrics\n\n"
        "At `/metrics`, in the text form of Prometheus, for who asks on the machine itself (not through a proxy) and "
        "for whoever has the token of `LICET_REGISTRY_METRICS_TOKEN`. Labels never hold what a caller writes.\n\n"
        "## Counted by the processes\n\n"
        "The processes of one data folder, the worker's among them, count together: whichever answers prints the sum. "
        "A total starts at 0 when all of them start anew. With several machines each is asked by itself.\n\n"
        + table(("name", "kind", "labels", "what it is"), counted)
        + "\n## Read from the database\n\nThe same whichever process answers; absent while the database does not.\n\n"
        + table(("name", "kind", "what it is"), read)
    )


def _labels(labels: tuple[str, ...]) -> str:
    return ", ".join(f"`{label}`" for label in labels)
