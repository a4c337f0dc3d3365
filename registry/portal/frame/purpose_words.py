"""What each of the registry's own keys signs, for the vocabularies of the rooms that show them."""

from __future__ import annotations

from typing import Final

from registry.portal.frame.words import Vocabulary

WORDS: Final[Vocabulary] = {
    "purpose_log": ("It signs the log’s checkpoints.", "签日志的检查点。"),
    "purpose_cosignature": (
        "It signs the log’s checkpoints a second time (ML-DSA-44).",
        "给日志的检查点再签一次（ML-DSA-44）。",
    ),
    "purpose_snapshot": (
        "It signs snapshots: what counts of every work at a moment.",
        "签快照：某一刻每件作品有效的条件。",
    ),
    "purpose_licence": ("It signs licences.", "签许可。"),
    "purpose_office": (
        "It signs for the office: claims, decisions of disputes, months that close, deletions.",
        "签登记处经办的事：主张等级、争议裁决、月结、注销。",
    ),
}
