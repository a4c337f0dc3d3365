"""The Licet registry: the service behind consent, licences and the ledger."""

from __future__ import annotations

__version__ = "0.1.0"
