"""What operators read of the registry's own keys."""

from __future__ import annotations

from typing import Final

from registry.portal.frame.words import Vocabulary

KEYS: Final[Vocabulary] = {
    "keys": ("Keys of the registry", "登记处的钥匙"),
    "keys_lead": (
        (
            "The root names every other key, and the log says when. This page only shows them: whatever changes a key "
            "is done at the command line, where the root can be."
        ),
        "其余的钥匙都由根钥匙指定，什么时候指定的，日志里都写着。这一页只能看：要换钥匙，请到命令行去做，根钥匙也用在那里。",
    ),
    "root": ("Root key", "根钥匙"),
    "root_id": ("Its digest", "它的摘要"),
    "root_public": ("Public half", "公钥"),
    "root_private": ("Private half", "私钥"),
    "root_here": (
        "It lies on this machine. It belongs on a medium offline: move keys/root.pem there, and keep a second copy.",
        "就在这台机器上。它应该离线保存：把 keys/root.pem 移到离线的存储上，再另外备一份。",
    ),
    "root_away": ("Not on this machine, as it should be.", "不在这台机器上，这样才对。"),
    "working": ("Working keys", "日常用的钥匙"),
    "key": ("Key", "钥匙"),
    "key_signs": ("What it signs", "签什么"),
    "key_from": ("From entry", "从第几条起"),
    "key_until": ("Until entry", "到第几条止"),
    "key_valid": ("Valid from", "生效日期"),
    "key_half": ("Private half", "私钥"),
    "half_here": ("Here", "在本机"),
    "half_away": ("Not here", "不在本机"),
    "signs_now": ("Signs now", "正在用"),
    "beside_now": ("In force", "有效"),
    "key_state_waiting": ("Waits for the log", "等着写进日志"),
    "key_state_retired": ("Retired", "已停用"),
    "key_state_compromised": ("Revoked: stolen or lost", "已吊销：被盗或丢失"),
    "key_vkeys": ("The log’s keys, for whoever checks it", "核对日志用的钥匙"),
    "not_beside": (
        "Checkpoints carry no second signature (ML-DSA-44):",
        "检查点上没有第二种签名（ML-DSA-44），原因是：",
    ),
    "not_here": (
        "For one purpose no key in force has its private half here. This machine cannot sign such things.",
        "有一种用途，有效钥匙的私钥都不在这台机器上，所以这一种它签不了。",
    ),
    "key_parts": ("What depends on them", "要用这些钥匙的部件"),
    "key_todo": ("What is done, and how", "常用的操作"),
    "do_list": ("See them at the command line", "在命令行里看"),
    "do_rotate": ("Put a new key in the place of one", "换一把新的"),
    "do_rotate_text": (
        "Both count until the old one is retired. Do that once every reader has learned the new one.",
        "旧的停用之前，两把都有效。等读日志的人都认了新的，再停用旧的。",
    ),
    "do_retire": ("Retire the old one", "停用旧的"),
    "do_retire_text": (
        "KEY stands for how its id begins, as in the table above. Keep its file: old evidence is signed with it.",
        "把 KEY 换成它编号的开头，就是上面表里的那一串。钥匙文件要留着：以前的证据是用它签的。",
    ),
    "do_revoke": ("End a key that was stolen, at once", "钥匙被盗，马上吊销"),
    "do_offline": (
        "With the root elsewhere: ask here, sign there, install here",
        "根钥匙不在本机：在这里生成申请，到那边签名，再拿回来安装",
    ),
}
