"""What an export holds, section by section, and what becomes of every table of the schema: told, or why not.

A new table has to be decided on here: a test walks the schema.
"""

from __future__ import annotations

from typing import Final

from registry.exporting.sections.access import ACCESS
from registry.exporting.sections.dealings import DEALINGS
from registry.exporting.sections.forms import Column, Form, Section
from registry.exporting.sections.money import MONEY
from registry.exporting.sections.own import OWN
from registry.exporting.sections.untold import JSON, KINDS, LEFT_OUT, UNTOLD

__all__ = ["JSON", "KINDS", "LEFT_OUT", "SECTIONS", "UNTOLD", "Column", "Form", "Section"]

#: In the order in which they are exported.
SECTIONS: Final = (*OWN, *DEALINGS, *MONEY, *ACCESS)
