"""How to check without us, in words."""

from __future__ import annotations

from typing import Final

from registry.portal.frame.words import Vocabulary

VERIFYING: Final[Vocabulary] = {
    "verify": ("Check it without trusting anybody", "不靠信任，自己核对"),
    "verify_lead": (
        (
            "What was signed here can be checked by anybody, in a browser, with our program or with programs of "
            "others. None of them has to believe what this site says."
        ),
        "在这里签下的东西，谁都可以核对：用浏览器，用我们的程序，或者用别人的程序。哪一种都不用相信本站说的话。",
    ),
    "held": ("In this browser: check what you hold", "在这个浏览器里：核对你手上的文件"),
    "held_text": (
        "A statement or receipt that you saved (JSON), a proof, or a checkpoint that somebody gave you.",
        "你存下的声明或收据（JSON）、一份证明，或者别人给你的检查点。",
    ),
    "held_file": ("Choose a file, or drop it here", "选一个文件，或拖到这里"),
    "held_paste": ("Or paste its text", "也可以把内容贴进来"),
    "held_go": ("Check it", "核对"),
}
