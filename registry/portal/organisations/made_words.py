"""What pages of training runs and of the snapshot say."""

from __future__ import annotations

from typing import Final

from registry.portal.frame.words import Vocabulary

MADE: Final[Vocabulary] = {
    "runs": ("Training runs", "训练"),
    "runs_text": (
        "Every run that you signed: which model was trained on which dataset, under how many licences.",
        "你们签过字的每次训练：哪个模型，用了哪个数据集，有几份许可。",
    ),
    "runs_none": ("You have stated no training run yet. At the command line:", "还没有申报过训练。在命令行里："),
    "run": ("Run", "训练"),
    "run_dropped": ("Dropped before", "训练前去掉"),
    "run_outside": ("A licence that it names does not cover it", "它写明的一份许可管不到它"),
    "dataset": ("Dataset", "数据集"),
    "snapshot": ("Snapshot", "快照"),
    "snapshot_text": (
        "All terms in files, for decisions on your own machine: nobody learns which pictures you have.",
        "全部条件都在这些文件里，判定在你们自己的机器上做，谁也不知道你们有哪些图。",
    ),
    "snapshot_none": ("None has been published yet.", "还没有发布过快照。"),
    "snapshot_old": (
        "The newest one is past its time, so nothing should be decided by it. The registry has to publish another.",
        "最新的一份已经过期，不该再拿它判定。要等登记处发布新的。",
    ),
    "snapshot_newest": ("The newest one", "最新的一份"),
    "snapshot_number": ("Number", "编号"),
    "snapshot_issued": ("Made", "生成时间"),
    "snapshot_expires": ("Good until", "有效至"),
    "match_tier_exact": ("The same files and addresses", "同一个文件、同一个网址"),
    "match_tier_near": ("Pictures resized or saved again", "缩放或重存过的图"),
    "snapshot_manifest": ("Signed manifest", "签过字的清单"),
    "snapshot_verify": ("Get it and verify it", "下载并核对"),
    "snapshot_verify_text": (
        "The first command fetches what is new, the second checks all of it: signature, log, expiry, every file.",
        "第一条命令只取新的，第二条核对全部：签名、日志、有效期、每个文件。",
    ),
    "snapshot_verify_hand": (
        "By hand: each file is called what its SHA-256 must be, and the signed manifest names them all.",
        "自己核对：文件名就是它应有的 SHA-256，签过字的清单里列出了每一个。",
    ),
    "snapshot_files": ("Files", "文件"),
    "snapshot_files_text": (
        "Oldest first: of a work that is in several, the last one counts. Files that you have never change.",
        "旧的在前：同一件作品出现几次，以最后一个为准。已经有的文件不会变。",
    ),
    "snapshot_file": ("File", "文件"),
    "snapshot_finds": ("What it finds", "能认出什么"),
    "snapshot_size": ("Size", "大小"),
    "snapshot_empty": ("It has no files: no work is registered.", "没有文件，因为还没有登记作品。"),
    "snapshot_proof": (
        "The manifest is signed by the registry and stands in the public log, so everybody gets the same one.",
        "清单由登记处签字，写在公开日志里，所以谁拿到的都是同一份。",
    ),
    "snapshot_digest": ("Digest of the manifest", "清单的摘要"),
    "snapshot_log": ("Entries of the log that it covers", "包含的日志条目数"),
    "snapshot_log_root": ("Root of the log", "日志根"),
    "snapshot_state_root": ("Root of all works’ states", "全部作品状态的根"),
}
