"""What the pages of one's account say of devices and keys, of taking everything along, and of leaving."""

from __future__ import annotations

from typing import Final

from registry.portal.frame.words import Plural, Vocabulary

DEVICES: Final[Vocabulary] = {
    "keys": ("Devices and keys", "设备和钥匙"),
    "keys_lead": (
        "Each of these can sign for you. Two are better than one: lose a phone, and the other still opens the door.",
        "这里的每一把都能代表你签名。有两把最稳妥：丢了一部手机，另一把还开得了门。",
    ),
    "keys_here": ("used on this device", "这次登录用的"),
    "keys_since": ("Since", "添加于"),
    "keys_change": ("Add a device, or end a key", "添一台设备，或停用一把钥匙"),
    "keys_new": ("Add another device", "再添一台设备"),
    "keys_new_text": (
        (
            "A window opens in which you choose the other phone or computer (it shows a code to scan), or plug in a "
            "security key. Before anything counts you see what is signed."
        ),
        "会弹出一个窗口，在里面选另一部手机或电脑（会出现一个码，用它来扫），或者插一把安全密钥。真正生效之前，会先给你看要签什么。",
    ),
    "keys_lead_team": (
        "Each of these signs for your team: one for each person, and better two people than one.",
        "这里的每一把都能代表团队签名。一人一把；至少有两个人，才不怕有人丢了手机。",
    ),
    "keys_new_team": ("Add a person, or another device", "添一个人，或再添一台设备"),
    "keys_new_team_text": (
        (
            "There is no link to send: whoever joins has to be with you. A window opens, where you choose their phone "
            "or computer (it shows a code that they scan), or plug in their security key. From then on it may sign all "
            "that you may. Before anything counts you see what is signed."
        ),
        (
            "没有可以发过去的链接，新成员要在你旁边。会弹出一个窗口，在里面选对方的手机或电脑（会出现一个码，请对方扫），"
            "或者插上对方的安全密钥。以后你能签的，这把钥匙都能签。真正生效之前，会先给你看要签什么。"
        ),
    ),
    "keys_new_go": ("Make a passkey on another device", "在另一台设备上建通行密钥"),
    "key_add_h1": ("One more key for your account", "给你的账号添一把钥匙"),
    "key_add_oath": (
        "From now on this passkey may do everything for my account that my other keys may.",
        "从现在起，这把通行密钥和我其他的钥匙一样，什么都能替我的账号做。",
    ),
    "key_add_does": (
        "Anyone can see in the public record that your account has one more key, not whose device it is.",
        "公开记录里谁都看得到你的账号多了一把钥匙，但看不出是哪台设备。",
    ),
    "key_add_touches": (
        "You will be asked twice: by the new device, then by this one.",
        "会请你确认两次：先在新设备上，再在这台上。",
    ),
    "key_add_go": ("Sign and add it", "签名并添上"),
    "key_end": ("End it", "停用"),
    "key_end_h1": ("End a key", "停用一把钥匙"),
    "key_end_oath": (
        "From now on this key may not sign for my account any more.",
        "从现在起，这把钥匙不能再替我的账号签名。",
    ),
    "key_end_does": (
        "It cannot be brought back. Sessions that it opened end at once.",
        "停用后不能恢复。用它登录的设备会立刻退出。",
    ),
    "key_end_kept": (
        "Everything that it signed before stays as it is.",
        "它之前签过的，都照旧有效。",
    ),
    "key_end_here": (
        "You are signed in with this very key: this device will be signed out.",
        "你这次登录用的就是它：这台设备会退出登录。",
    ),
    "key_end_go": ("Sign and end it", "签名并停用"),
    "key_last": ("This is your last key", "这是你最后一把钥匙"),
    "key_last_text": (
        "Without it you could sign nothing any more. Add another device first; then this one can go.",
        "没有它，你就什么都签不了了。先添一台别的设备，再停用这一把。",
    ),
}

LEAVING: Final[Vocabulary] = {
    "leave": ("Take everything along, or leave", "带走全部，或者离开"),
    "leave_noscript": (
        "Your passkey was used too long ago for this. Please sign in again first.",
        "离上次用通行密钥太久了，请先重新登录。",
    ),
    "take": ("Take everything along", "带走全部"),
    "take_text": (
        (
            "Everything that we hold of you in one file: your pictures' data, what you signed with its proofs, money, "
            "disputes, what you were told."
        ),
        "我们手里关于你的一切，装成一个文件：画的资料、你签过的和证明、钱、争议、收到过的通知。",
    ),
    "take_go": ("Download everything", "下载全部"),
    "take_how": (
        (
            "It is a tar file with one folder for each kind of thing; any unpacking tool opens it. If it breaks off, "
            "licet account export goes on where it was."
        ),
        "是一个 tar 文件，一类东西一个文件夹，解压软件都能打开。中途断了，可以用命令 licet account export 接着下。",
    ),
    "leave_h": ("Delete my account", "删除我的账号"),
    "leave_text": (
        "This cannot be undone. Before you decide, here is what would happen.",
        "删了就找不回来。决定之前，先看清楚会怎样。",
    ),
    "leave_goes": ("What goes", "会消失的"),
    "leave_goes_you": (
        "Your name, keys, devices, recovery codes, domains and everything that we told you.",
        "你的名字、钥匙、设备、恢复码、域名，还有给你的所有通知。",
    ),
    "leave_goes_works": (
        Plural(
            "Titles, addresses and the small preview of one picture.",
            "Titles, addresses and small previews of {n} pictures.",
        ),
        "{n} 张画的标题、网址和小图。",
    ),
    "leave_goes_signed": (
        Plural(
            "One signed statement, so that nobody can read it any more.",
            "{n} signed statements, so that nobody can read them any more.",
        ),
        "{n} 份签过的声明，从此没人能读到。",
    ),
    "leave_goes_payout": (
        "Where you are paid. What is still owed to you could not reach you any more.",
        "你的收款方式。还没付给你的钱，以后就付不到你手里了。",
    ),
    "leave_money": ("Look what is owed", "看看还有多少没付"),
    "leave_stays": ("What stays, and why", "会留下的，以及为什么"),
    "kept_licence": (
        Plural(
            "One statement behind licences: whoever has one must be able to prove it.",
            "{n} statements behind licences: whoever has one must be able to prove it.",
        ),
        "{n} 份和许可有关的声明：拿到许可的人得能证明。",
    ),
    "kept_use": (
        Plural(
            "One statement about what was used: artists and auditors go by it.",
            "{n} statements about what was used: artists and auditors go by them.",
        ),
        "{n} 份记录用途的声明：画家和审计要凭它核对。",
    ),
    "kept_dispute": (
        Plural(
            "One statement in a dispute: the other party goes by it.",
            "{n} statements in disputes: the other party goes by them.",
        ),
        "{n} 份争议里的声明：对方要凭它说理。",
    ),
    "kept_evidence": (
        Plural(
            "One more statement, because a statement above can only be checked with it.",
            "{n} more statements, because the statements above can only be checked with them.",
        ),
        "另有 {n} 份声明：没有它们，上面那些就没法核对。",
    ),
    "leave_some": ("These are the first of {n}.", "一共 {n} 份，这里只数了前面的。"),
    "leave_until": (
        "They are kept for those parties and for auditors alone, until {day}; then they go too.",
        "它们只留给当事方和审计看，到 {day}也会删掉。",
    ),
    "leave_stays_log": (
        "In the public record, digests from which nothing can be read.",
        "公开记录里的摘要，从中什么都读不出来。",
    ),
    "leave_stays_books": ("In the books, amounts under a number without a name.", "账本里的金额，只有编号，没有名字。"),
    "leave_works": (
        Plural("What shall become of your picture?", "What shall become of your {n} pictures?"),
        "你的 {n} 张画以后怎么办？",
    ),
    "leave_deny": ("They go on saying no to every use", "继续对所有用途说不"),
    "leave_deny_why": (
        "Without your name: only a fingerprint that is refused. Nobody can loosen that any more, you neither.",
        "不带你的名字，只留指纹，一律拒绝。以后谁都不能放宽，包括你自己。",
    ),
    "leave_bare": ("Nothing is left of them", "什么都不留"),
    "leave_bare_why": (
        "Whoever asks hears that we do not know the picture.",
        "别人来查，只会听到我们不认识这张画。",
    ),
    "leave_recovering": (
        (
            "Your account was recovered with a code in the last seven days. In that time it cannot be deleted, so that "
            "whoever finds a code cannot end it."
        ),
        "你的账号在七天内用恢复码找回过。这段时间不能删除，免得捡到恢复码的人把它删掉。",
    ),
    "leave_type": ("Type “{name}” to confirm", "输入“{name}”来确认"),
    "leave_wrong": (
        "Nothing was deleted: we expected “{name}” and got “{got}”.",
        "什么都没有删：要输入的是“{name}”，收到的是“{got}”。",
    ),
    "leave_go": ("Delete my account for good", "永久删除我的账号"),
    "leave_not": ("I stay", "我不走了"),
}
