"""Every setting in words, for the command line and the documentation."""

from __future__ import annotations

import textwrap
from typing import NamedTuple

from registry.settings.chosen import Settings
from registry.settings.wording import form, shown, variable


class Described(NamedTuple):
    """A setting in words: its variable, what a value looks like, the default as the variable takes it, what it does."""

    field: str
    variable: str
    form: str
    default: str
    about: str


def described() -> list[Described]:
    """Return every setting in words; the default of the data folder is described, because it differs by machine."""
    found = []
    for name, field in Settings.model_fields.items():
        default = field.get_default()
        if field.default_factory is not None:
            text = "licet-registry in your user data folder"
        else:
            text = "" if default in {None, "", ()} else shown(default)
        found.append(Described(name, variable(name), form(field), text, field.description or ""))
    return found


def explain(settings: Settings) -> str:
    """Return a text that names every setting: its variable, what is in force, the default, its form, what it does."""
    blocks = []
    for each in described():
        value = getattr(settings, each.field)
        default = Settings.model_fields[each.field].get_default(call_default_factory=True)
        source = "default" if value == default else f"set; default {each.default or '(empty)'}"
        head = f"{each.variable} = {shown(value)}  ({source})"
        text = f"{each.about} Expects {each.form}."
        about = textwrap.fill(text, 100, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)
        blocks.append(f"{head}\n{about}")
    return "\n".join(blocks) + "\n"
