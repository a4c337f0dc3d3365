"""Every setting of the service, from the environment: ``LICET_REGISTRY_…``, and ``DATABASE_URL``."""

from registry.settings.chosen import Settings, Site
from registry.settings.described import Described, described, explain
from registry.settings.values import OFF, Rate, rate_of
from registry.settings.wording import PREFIX, SECRET, shown, variable

__all__ = [
    "OFF", "PREFIX", "SECRET", "Described", "Rate", "Settings", "Site", "described", "explain", "rate_of", "shown",
    "variable",
]  # fmt: skip
