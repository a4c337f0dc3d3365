"""Every setting of the service, as the service itself reads it."""

from __future__ import annotations

from registry.settings import described
from tools.documentation.markdown import plain, table


def page() -> str:
    """Return the page of the settings."""
    rows = [
        (f"`{each.variable}`", each.form, f"`{each.default}`" if each.default else "empty", plain(each.about))
        for each in described()
    ]
    return (
        "# Settings of the service\n\n"
        "Set in the environment. A variable that starts with `LICET_REGISTRY_` and that no setting reads is an error; "
        "so is a value out of its range. `licet-registry settings --explain` prints what is in force.\n\n"
        + table(("variable", "value", "default", "what it does"), rows)
    )
