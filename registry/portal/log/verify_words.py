"""How to check without us, in words."""

from __future__ import annotations

from typing import Final

from registry.portal.frame.words import Vocabulary

VERIFYING: Final[Vocabulary] = {
    "verify": ("Check it without trusting anybody", "谁都不用信，自己核对"),
    "verify_lead": (
        (
            "What was signed here can be checked by anybody, in a browser, with our program or with programs of "
            "others. None of them has to believe what this site says."
        ),
        "在这里签的东西，谁都能核对：用浏览器、用我们的程序，或者用别人的程序。哪一种都不用相信本站说的话。",
    ),
    "with_licet": ("With licet, our program", "用我们的程序 licet"),
    "with_licet_text": (
        (
            "The first command reads every entry, computes the root from nothing and compares everything that was ever "
            "published. It remembers the registry’s root key when it first meets it. The second checks a file that you "
            "saved, offline: who signed it, with which keys, and its place in the log."
        ),
        (
            "第一条命令读完每一条记录，从头算出根，把公布过的全部比一遍。它第一次遇到这个登记处时，会记住根钥匙。第二条离线核对"
            "你存下的文件：谁签的、用哪把钥匙、在日志的什么位置。"
        ),
    ),
    "with_licet_root": (
        "The command names the root key by its digest. If it is another one than this, ask before you go on:",
        "命令里用摘要来指根钥匙。要是和下面这个不一样，先问清楚再往下做：",
    ),
    "with_go": ("With packages of Go, which are not ours", "用 Go 的软件包（不是我们写的）"),
    "with_go_text": (
        (
            "Go’s own tools for checking its modules read this log, too. Some 80 lines are the whole program; read "
            "them first. They check the signature and compute the root from all entries."
        ),
        (
            "Go 语言用来核对自家模块的工具，也读得懂这份日志。整个程序就八十来行，请先读一遍。"
            "它核对签名，再从全部记录算出根。"
        ),
    ),
    "with_go_file": ("Read the program", "读一读程序"),
    "with_hledger": ("The money, with hledger", "用 hledger 核对账目"),
    "with_hledger_text": (
        (
            "For artists, teams and auditors: the evidence of a month holds its books for hledger, a bookkeeping "
            "program of others. Each amount stands in them, each closing balance is asserted, and a millionth too "
            "little is refused."
        ),
        (
            "作者、团队和审计员都能用：每月的证据包里有一份账本，用 hledger（别人写的记账程序）就能打开。"
            "每一笔都写着，每个期末余额都得对上，差百万分之一也通不过。"
        ),
    ),
    "cannot": ("What no check shows", "怎么核对也看不出来的"),
    "cannot_1": (
        "A use that nobody reported.",
        "没有人申报过的使用。",
    ),
    "cannot_2": (
        "A statement that was never taken: it has no receipt, and is in no log.",
        "从来没被收下的声明：没有收据，哪份日志里也没有。",
    ),
    "cannot_3": (
        (
            "Whether others are shown the same log. Keep checkpoints and compare them with others; witnesses do that "
            "all the time."
        ),
        "别人看到的是不是同一份日志。把检查点存下来，和别人的比一比；见证人一直在做这件事。",
    ),
    "cannot_4": (
        (
            "Whether this page’s scripts are honest: they come from the registry. Whoever does not trust them uses a "
            "program."
        ),
        "本页的脚本老不老实：它们也是登记处给的。信不过，就用程序核对。",
    ),
    "held": ("In this browser: check what you hold", "在浏览器里核对你手上的文件"),
    "held_text": (
        "A statement or receipt that you saved (JSON), a proof, or a checkpoint that somebody gave you.",
        "你存下的声明或收据（JSON）、一份证明，或者别人给你的检查点。",
    ),
    "held_file": ("Choose a file, or drop it here", "选一个文件，或拖到这里"),
    "held_paste": ("Or paste its text", "也可以把内容贴进来"),
    "held_go": ("Check it", "核对"),
}
