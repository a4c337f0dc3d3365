"""What the page of a team's members says."""

from __future__ import annotations

from typing import Final

from registry.portal.frame.words import Plural, Vocabulary

MEMBERS: Final[Vocabulary] = {
    "members": ("Members", "成员"),
    "members_text": (
        "Whoever holds one of these keys acts for the team. The registry knows keys; names are what you noted.",
        "谁拿着这里的一把钥匙，谁就能代表团队。登记处只认钥匙，名字是你们自己备注的。",
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
    "member_person": ("A person beside you joins", "给身边的人建钥匙"),
    "member_person_text": (
        "Without a link: make a passkey on their phone or computer and sign for it. It may do all.",
        "不用链接：在对方的手机或电脑上建一把通行密钥，由你签字放行。它什么都能做。",
    ),
    "member_person_go": ("Make a passkey for somebody", "给新成员建通行密钥"),
    "member_program": ("A program joins", "添一个程序"),
    "member_program_text": (
        "licet makes a key on the machine and prints a link. Open it here, see what the key asks for, and let it in.",
        "licet 在那台机器上建一把钥匙，打印一个链接。在这里打开，看清它要什么，再放行。",
    ),
    "member_end": ("Change or end a key", "更改或停用钥匙"),
    # invitations
    "inv_make": ("Invite somebody", "邀请新成员"),
    "inv_make_text": (
        "You get a link to hand over. It works once and lets nobody in by itself: whoever opens it asks, you decide.",
        "会给你一个链接，交给对方。链接只能用一次，也不会自动放人进来：对方打开后提出申请，由你决定。",
    ),
    "inv_who": ("Who joins", "谁来加入"),
    "join_root": ("A person", "一个人"),
    "join_root_text": ("with a passkey that may do everything, as yours", "用通行密钥，和你的一样什么都能做"),
    "join_delegate": ("A program", "一个程序"),
    "join_delegate_text": ("with a key that signs only what you allow it next", "它的钥匙只能签你接下来允许的"),
    "inv_note": ("For whom", "给谁的"),
    "inv_note_hint": ("A note for your team alone, such as a name.", "只有你们团队看得到，比如写个名字。"),
    "inv_days": ("The link works for", "链接有效"),
    "inv_go": ("Make the link", "生成链接"),
    "inv_wrong": (
        "Choose who joins and for how long the link works, and keep the note below 100 characters, in one line.",
        "请选好谁来加入、链接有效几天；备注写一行，不超过 100 个字。",
    ),
    "inv_recovered": (
        "You came in by a recovery. For seven days you can invite nobody: let somebody else of the team do it.",
        "你是找回账号进来的，七天内不能邀请别人。请让团队里其他人来邀请。",
    ),
    "inv_many": (
        "Twenty invitations wait already. Take back those that nobody needs any more.",
        "已经有二十个邀请在等了。请先撤回用不着的。",
    ),
    "inv_open": ("Invited", "已经邀请"),
    "state_inv_open": ("The link was not opened yet", "链接还没用过"),
    "state_inv_asked": ("Asks to be let in", "申请加入"),
    "state_inv_expired": ("The link has run out", "链接过期了"),
    "inv_see": ("See who asks", "看看是谁"),
    "home_asking": (
        Plural("Somebody whom you invited asks to be let in.", "{n} whom you invited ask to be let in."),
        "有 {n} 个你们邀请的人申请加入。",
    ),
    "inv_withdraw": ("Take it back", "撤回"),
    "inv_forget": ("Forget it", "清掉"),
    "inv_made": ("Your link", "邀请链接好了"),
    "inv_made_text": (
        "Hand it to that one person, by a way that nobody else reads. It is not shown again.",
        "请只发给那一个人，走别人看不到的渠道。这个链接不会再显示。",
    ),
    "inv_next": ("What happens next", "接下来"),
    "inv_next1": (
        "They open the link and make a passkey on their own phone or computer.",
        "对方打开链接，在自己的手机或电脑上建通行密钥。",
    ),
    "inv_next1_program": (
        "On the machine of the program, somebody runs “licet account join” with the link in quotation marks.",
        "在程序所在的机器上运行 licet account join，后面跟上用引号括起来的链接。",
    ),
    "inv_next2": (
        "They are shown 16 digits, and tell them to you by telephone or in person.",
        "对方会看到 16 位核对码，打电话或当面告诉你。",
    ),
    "inv_next3": (
        "You find them among your members, compare the digits, and let them in with your passkey.",
        "你在“成员”里找到这条申请，对一遍核对码，用通行密钥放行。",
    ),
    "inv_back": ("Members", "成员"),
    "inv_stale": ("They have to ask once more", "请对方再申请一次"),
    "inv_stale_text": (
        (
            "Your team’s keys have changed since they asked, so their request no longer fits. They open the same link "
            "again and ask with the passkey that they made; nothing else is to be done."
        ),
        (
            "申请之后，你们团队的钥匙变过，这份申请对不上了。请对方重新打开同一个链接，"
            "用已经建好的通行密钥再申请一次，别的都不用做。"
        ),
    ),
    "sign_member_text": (
        "Compare these 16 digits with those that you were told. Are they the same, it is whom you invited.",
        "请和对方告诉你的 16 位核对码对一对。一样，才是你邀请的人。",
    ),
    "sign_member_heed": (
        "If nobody has told you these digits, close this page: somebody else may have opened the link.",
        "如果没有人告诉过你这串核对码，请关掉本页：打开链接的可能是别人。",
    ),
}
