"""What the page of a team's members says."""

from __future__ import annotations

from typing import Final

from registry.portal.frame.words import Vocabulary

MEMBERS: Final[Vocabulary] = {
    "members": ("Members", "成员"),
    "members_text": (
        "Whoever holds one of these keys acts for the team. The registry knows keys, not the names of your people.",
        "谁拿着这里的一把钥匙，谁就能代表团队。登记处只认钥匙，不知道你们每个人的名字。",
    ),
    "member": ("Who", "是谁"),
    "member_role": ("Role", "角色"),
    "key_of_webauthn": ("A person, with a passkey", "人，用通行密钥"),
    "key_of_ed25519": ("A program, with a key file", "程序，用密钥文件"),
    "role_root": (
        "May do everything: sign for the team without limit, let keys in, and end them",
        "什么都能做：不受限制地替团队签字，放行和停用钥匙",
    ),
    "role_recovered": (
        "Came by a recovery: for seven days it may only tighten",
        "找回账号得来：七天内只能收紧",
    ),
    "role_delegate": ("May sign this and nothing else:", "只能签这些，别的不行："),
    "members_tokens": (
        "Tokens are no members: programs read and send with them, and sign nothing.",
        "令牌不算成员：程序用它来查、来发，不能用它签字。",
    ),
    "member_person": ("A person joins", "添一个人"),
    "member_person_text": (
        "With the new person beside you, make a passkey on their phone or computer and sign for it. It may do all.",
        "新成员在你旁边时，在对方的手机或电脑上建一把通行密钥，由你签字放行。它什么都能做。",
    ),
    "member_person_go": ("Make a passkey for somebody", "给新成员建通行密钥"),
    "member_program": ("A program joins", "添一个程序"),
    "member_program_text": (
        "licet makes a key on the machine and prints a link. Open it here, see what the key asks for, and let it in.",
        "licet 在那台机器上建一把钥匙，打印一个链接。在这里打开，看清它要什么，再放行。",
    ),
    "member_end": ("Change or end a key", "更改或停用钥匙"),
}
