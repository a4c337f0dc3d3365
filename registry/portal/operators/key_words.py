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
        "其余的钥匙都由根钥匙指定，什么时候指定，日志里写着。这一页只给看：要动钥匙，去命令行，根钥匙也在那里。",
    ),
    "root": ("Root key", "根钥匙"),
    "root_id": ("Its digest", "它的摘要"),
    "root_public": ("Public half", "公开的一半"),
    "root_private": ("Private half", "私密的一半"),
    "root_here": (
        "It lies on this machine. It belongs on a medium offline: move keys/root.pem there, and keep a second copy.",
        "它就在这台机器上。它该放在离线的地方：把 keys/root.pem 移过去，再备一份。",
    ),
    "root_away": ("Not on this machine, as it should be.", "不在这台机器上，正该如此。"),
    "working": ("Working keys", "工作钥匙"),
    "key": ("Key", "钥匙"),
    "key_signs": ("What it signs", "签什么"),
    "key_from": ("From entry", "从第几条起"),
    "key_until": ("Until entry", "到第几条止"),
    "key_valid": ("Valid from", "生效日期"),
    "key_half": ("Private half", "私密的一半"),
    "half_here": ("Here", "在这里"),
    "half_away": ("Not here", "不在这里"),
    "signs_now": ("Signs now", "正在签"),
    "beside_now": ("In force", "有效"),
    "key_state_waiting": ("Waits for the log", "等进入日志"),
    "key_state_retired": ("Retired", "已退役"),
    "key_state_compromised": ("Revoked: stolen or lost", "已吊销：被盗或丢失"),
    "key_vkeys": ("The log’s keys, for whoever checks it", "日志的钥匙，给核对的人"),
    "not_beside": (
        "Checkpoints carry no second signature (ML-DSA-44):",
        "检查点没有第二种签名（ML-DSA-44）：",
    ),
    "not_here": (
        "For one purpose no key in force has its private half here. This machine cannot sign such things.",
        "有一种用途，有效的钥匙没有一把的私密一半在这里。这台机器签不了那一类。",
    ),
    "key_parts": ("What depends on them", "靠它们的部件"),
    "key_todo": ("What is done, and how", "要做什么，怎么做"),
    "do_list": ("See them at the command line", "在命令行里看"),
    "do_rotate": ("Put a new key in the place of one", "换一把新的"),
    "do_rotate_text": (
        "Both count until the old one is retired. Do that once every reader has learned the new one.",
        "旧的退役之前两把都算数。等读日志的人都认得新的，再让旧的退役。",
    ),
    "do_retire": ("Retire the old one", "让旧的退役"),
    "do_retire_text": (
        "KEY stands for how its id begins, as in the table above. Keep its file: old evidence is signed with it.",
        "KEY 换成它编号的开头，就是上面表里的那一串。钥匙文件要留着：以前的证据是用它签的。",
    ),
    "do_revoke": ("End a key that was stolen, at once", "钥匙被盗，马上吊销"),
    "do_offline": (
        "With the root elsewhere: ask here, sign there, install here",
        "根钥匙在别处：这里申请，那里签，再装回这里",
    ),
}
