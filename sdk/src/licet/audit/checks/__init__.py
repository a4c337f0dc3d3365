"""What is checked in an evidence bundle, one module a subject; `licet.audit.verifying` runs them in order."""

from __future__ import annotations

from typing import Final

SAMPLE: Final = "sample"  # rows of a dataset, opened and decided again: `licet audit sample`
NAMES: Final = frozenset(
    """
    allocations balances bundle-form chains checkpoints double-entry duties event-amounts event-effects event-ids
    event-roots event-splits event-tables journals licence-lines licence-totals log-consistency log-coverage log-entries
    log-period manifest-signature member-digests period-batches period-chain period-close period-lines period-report
    period-sums prices-agreed prices-consented readme registry-keys requests reversals splits statements
    transfer-sums works-consented
    """.split()
)
"""The name of every check of a bundle: what failed is called so, and findings of auditors say which it was."""
