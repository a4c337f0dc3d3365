"""What pages say of pictures that are traced, and of evidence."""

from __future__ import annotations

from typing import Final

from registry.portal.frame.words import Plural, Vocabulary

EVIDENCE: Final[Vocabulary] = {
    "trace": ("Trace a picture", "追一张图"),
    "trace_lead": (
        (
            "You found a picture somewhere, or a machine made one: see which registered works it is closest to. We "
            "keep none of it."
        ),
        "在哪里看到一张图，或者是机器生成的：看看它最接近哪些登记过的画。图我们不会留。",
    ),
    "trace_pick": ("Choose a picture", "选一张图片"),
    "trace_hint": ("Up to {size} MB.", "最大 {size} MB。"),
    "trace_go": ("Trace it", "追查"),
    "trace_empty": ("Choose a file first, then trace it.", "先选一个文件，再追查。"),
    "trace_bad": (
        "That file could not be read as a picture. Save it as JPEG or PNG and try again.",
        "这个文件读不成图片。另存为 JPEG 或 PNG 再试。",
    ),
    "trace_none": ("It is close to no registered work.", "它和登记过的画都不接近。"),
    "trace_none_text": (
        (
            "That a model learned from a picture cannot always be seen in what it makes. What you find here is a "
            "trail, not a proof that there is none."
        ),
        "模型学过哪张画，从生成的图里不一定看得出来。查到的是线索；没查到，也不等于没用过。",
    ),
    "trace_found": (
        Plural("It is close to one registered work.", "It is close to {n} registered works."),
        "它和 {n} 张登记过的画接近。",
    ),
    "trace_exact": ("The very same file or pixels.", "文件或像素完全一样。"),
    "trace_near": ("The same picture, perhaps resized or saved again.", "同一张画，也许缩放过或重新存过。"),
    "trace_derivative": ("It shows parts of this work.", "里面有这张画的局部。"),
    "trace_own": ("yours", "你的"),
    "trace_mine": ("This picture is mine", "这张画是我的"),
    "trace_unsigned": ("A work without signed terms yet", "一张还没签条件的画"),
    "evidence": ("Evidence", "证据"),
    "evidence_lead": (
        "What {name} can prove of this work. It prints on paper; the files prove it to anybody.",
        "关于这张画，{name} 能证明的一切。可以打印；附带的文件谁都能核对。",
    ),
    "evidence_by": ("Registered by", "登记人"),
    "evidence_now": ("What is allowed now", "现在允许什么"),
    "evidence_said": ("What was signed for it", "为它签过什么"),
    "evidence_uses": ("Who took licences on it", "谁取过它的许可"),
    "evidence_unused": ("Nobody has taken a licence on it.", "还没有人取过它的许可。"),
    "evidence_level": (
        "Who took licences on it is shown to you from claim level 2 on.",
        "谁取过它的许可，主张等级到 2 级才给你看。",
    ),
    "evidence_dataset": ("Dataset", "数据集"),
    "evidence_no_dataset": ("none named", "没写"),
    "evidence_proof": ("Proof", "证明"),
    "evidence_file": ("File", "文件"),
    "evidence_undisputed": ("You are in no dispute about it.", "关于它，你没有争议。"),
    "evidence_check": (
        (
            "The log of {origin} proves each file; licet verifies them without asking anybody. A registration is a "
            "claim, not proof of title."
        ),
        "每个文件都能用 {origin} 的记录证明；用 licet 核对，不用问任何人。登记是一种主张，不是所有权证明。",
    ),
    "evidence_made": ("Made on {when}.", "{when} 生成。"),
    "evidence_pack": ("The whole month, signed", "一整个月，带签名"),
    "evidence_pack_text": (
        "A zip file with all that is yours in one month: uses, charges, statements, proofs. It can be checked offline.",
        "一个 zip 文件，装着一个月里你的全部：用途、款项、声明、证明。离线就能核对。",
    ),
    "evidence_month": ("Month", "月份"),
    "evidence_pack_go": ("Download the month", "下载这个月"),
}
