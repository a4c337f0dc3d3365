"""What is said while a browser checks the log: each step, and what came of all of them."""

from __future__ import annotations

from typing import Final

from registry.portal.frame.words import Vocabulary

CHECKING: Final[Vocabulary] = {
    "check_log": ("Checked by your own browser", "让你的浏览器来核对"),
    "check_log_text": (
        "This runs on your device with the published files. You need not believe us for it.",
        "在你自己的设备上，用公布的文件算一遍，不用信我们。",
    ),
    "check_again": ("Check again", "再核对一次"),
    "check_keep": (
        (
            "Your browser keeps what it saw, and compares next time. Signing out or clearing the browser’s data "
            "forgets it; a copy of the checkpoint on your device lasts."
        ),
        "浏览器会记住这次看到的，下次拿来比。退出登录或清除浏览器数据就忘了；把检查点另存一份，就一直在。",
    ),
    "check_copy": ("Save the checkpoint", "保存检查点"),
    "check_noscript": (
        "Checking needs scripts. Without them, check the log with a program:",
        "核对要用到脚本。不开脚本，可以用程序核对：",
    ),
    "check_elsewhere": ("How to check it without us", "不靠我们怎么核对"),
    "check_evidence": (
        (
            "Here are both checkpoints, yours and the one that you were shown now. Please keep them and show them to "
            "others: together they prove what happened."
        ),
        "这是两份检查点：你留着的，和刚才给你看的。请存好，也给别人看：放在一起就是证据。",
    ),
    # what is said in front of a step
    "say_good": ("Right. ", "对。"),
    "say_moment": (
        "{day} {month} {year}, {hour}:{minute} UTC",
        "{year} 年 {month} 月 {day} 日 {hour}:{minute}（UTC）",
    ),
    "say_open": ("Not checked. ", "没有核对。"),
    "say_bad": ("Wrong. ", "不对。"),
    # what came of all
    "say_all_busy": ("Checking…", "核对中……"),
    "say_all_fine": ("Everything that was checked is right.", "核对过的都对。"),
    "say_all_unsigned": (
        (
            "What was checked is right: the log holds exactly this statement. Who signed it was not checked here; "
            "the program below does that."
        ),
        "核对过的都对：日志里记的正是这份声明。是谁签的，这里没有核对，下面的程序可以。",
    ),
    "say_all_partly": (
        (
            "What could be checked is right. This browser cannot check the registry’s signature (Ed25519), so what "
            "you see may not be what the registry signed. A newer browser can."
        ),
        (
            "能核对的都对。这个浏览器验不了登记处的签名（Ed25519），所以你看到的未必就是登记处签过的。换个新一点的浏览器就行。"
        ),
    ),
    "say_all_wrong": (
        "Something is wrong. Do not rely on what this log says before you know why.",
        "有地方不对。弄清楚之前，别信这份日志说的话。",
    ),
    "say_all_unreached": (
        "It could not be checked to the end. That proves nothing either way.",
        "没能核对完。这不说明对，也不说明不对。",
    ),
    # steps that are right
    "say_good_root": (
        "The registry’s root key is the one from your last visit: {key} (programs name it by its digest, {digest})",
        "登记处的根钥匙和你上次来时一样：{key}（程序里用它的摘要称呼它：{digest}）",
    ),
    "say_good_root_first": (
        "Your browser remembers the registry’s root key from now on: {key} (programs name it by its digest, {digest})",
        "浏览器从现在起记住登记处的根钥匙：{key}（程序里用它的摘要称呼它：{digest}）",
    ),
    "say_good_keys": (
        "The root key has signed for the keys of the log ({n}).",
        "日志的钥匙（{n} 把）有根钥匙的签名。",
    ),
    "say_good_signature": (
        "The registry’s signature is good, by key {id}, for {size} entries.",
        "登记处的签名有效，钥匙 {id}，共 {size} 条。",
    ),
    "say_good_signature_held": (
        "What you hold is signed by the registry, too, by key {id}, for {size} entries.",
        "你手上这份也有登记处的签名，钥匙 {id}，共 {size} 条。",
    ),
    "say_good_leaf": (
        "Entry {index} is the leaf with hash {hash}",
        "第 {index} 条就是哈希为 {hash} 的叶子",
    ),
    "say_good_path": (
        "The proof leads from it to the root that was signed, of {size} entries: {root}",
        "照着证明算，得到的正是签过名的根（{size} 条）：{root}",
    ),
    "say_good_grew": (
        "The log only grew since your last visit ({when}): from {old} to {size} entries.",
        "你上次来（{when}）之后，日志只增不改：从 {old} 条到 {size} 条。",
    ),
    "say_good_grew_same": (
        "The log is as it was at your last visit ({when}), with {size} entries.",
        "日志和你上次来（{when}）时一样，{size} 条。",
    ),
    "say_good_held": (
        "Today’s log begins with the log that it was signed in: from {old} to {size} entries it only grew.",
        "今天的日志以当时那份日志开头：从 {old} 条到 {size} 条，只增不改。",
    ),
    "say_good_held_same": (
        "Today’s log is the one that it was signed in, with {size} entries.",
        "今天的日志就是当时那一份，{size} 条。",
    ),
    "say_good_commits": (
        "The entry commits to exactly this statement (digest {hash}), since {time}.",
        "这条记录对应的正是这份声明（摘要 {hash}），时间 {time}。",
    ),
    "say_good_code": (
        "The check code of what was signed, as it stands on the receipt, is {code}",
        "签名内容的核对码，就是收据上的那个：{code}",
    ),
    "say_good_is_statement": (
        "This is a statement with its proof. {kind}; entry {index}.",
        "这是一份声明和它的证据：{kind}；第 {index} 条。",
    ),
    "say_good_is_receipt": (
        "This is a receipt without the statement. {kind}; entry {index}.",
        "这是一张收据，不带声明原文：{kind}；第 {index} 条。",
    ),
    "say_good_is_proof": ("This is a proof for entry {index}.", "这是第 {index} 条的证明。"),
    "say_good_is_checkpoint": (
        "This is a checkpoint over {size} entries.",
        "这是一份检查点，一共 {size} 条。",
    ),
    # steps that were left out
    "say_open_keys": (
        "Whether the root key signed for the keys of the log ({n}).",
        "日志的钥匙（{n} 把）有没有根钥匙的签名。",
    ),
    "say_open_signature": ("The registry’s signature.", "登记处的签名。"),
    "say_open_first": (
        "Whether the log only grew: this is your first visit. Next time it is compared with these {size} entries.",
        "日志是否只增不改：你第一次来。下次会拿这 {size} 条来比。",
    ),
    "say_open_unkept": (
        "Whether the log only grew: nothing of it is kept, as this browser could not check who signed it.",
        "日志是否只增不改：这个浏览器核对不了是谁签的，所以没有留底来比。",
    ),
    "say_open_signer": (
        "Who signed the statement: a program does that, with the keys of the account.",
        "声明是谁签的：要用程序，凭账号的钥匙来核对。",
    ),
    "say_open_unreached": (
        "A file of the log did not come: {path}",
        "日志的一个文件没有拿到：{path}",
    ),
    # steps that are wrong
    "say_bad_root": (
        "The registry shows another root key than at your last visit. Then: {old} Now: {key}",
        "登记处给出的根钥匙和你上次来时不一样。那时：{old} 现在：{key}",
    ),
    "say_bad_keys": (
        "The keys of the log are not signed by the root key.",
        "日志的钥匙没有根钥匙的有效签名。",
    ),
    "say_bad_origin": ("This is of another log: {origin}", "这是另一份日志的：{origin}"),
    "say_bad_signature": (
        "The registry’s signature does not hold, by key {id}.",
        "登记处的签名无效，钥匙 {id}。",
    ),
    "say_bad_unsigned": (
        "No key of this log has signed it.",
        "没有这份日志的任何一把钥匙签过它。",
    ),
    "say_bad_beyond": (
        "Entry {index} is not covered: what is signed has {size} entries.",
        "第 {index} 条不在里面：签过名的只有 {size} 条。",
    ),
    "say_bad_entry": (
        "The log publishes another entry {index} than this page shows.",
        "日志公布的第 {index} 条和本页显示的不一样。",
    ),
    "say_bad_commits": (
        "The entry commits to another statement than this one.",
        "这条记录对应的是另一份声明。",
    ),
    "say_bad_path": (
        "The proof does not lead to the root that was signed.",
        "照着证明算，得不到签过名的根。",
    ),
    "say_bad_tile": ("A file of the log is shorter than it must be.", "日志的一个文件短了一截。"),
    "say_bad_shrank": (
        "The log became shorter: it had {old} entries, and now {size} are shown.",
        "日志变短了：原来有 {old} 条，现在只看得到 {size} 条。",
    ),
    "say_bad_forked": (
        "There are two different logs of {size} entries: the registry signed both.",
        "同样是 {size} 条，却有两份不同的日志，登记处都签了名。",
    ),
    "say_bad_regrown": (
        "The log does not begin with the one that was signed before: something old was changed.",
        "日志不是接着以前签过的那份往下长的：旧的被改过。",
    ),
    "say_bad_unsure": (
        (
            "The log does not fit the one of your last visit. This browser cannot check whether the registry signed "
            "what is shown now: look again with a newer browser before you accuse anybody."
        ),
        "日志和你上次来时的对不上。这个浏览器核对不了现在看到的是不是登记处签的：先换个新一点的浏览器再看，别急着下结论。",
    ),
    "say_bad_malformed": (
        "It is not written as it must be.",
        "格式不对。",
    ),
    "say_bad_unread": (
        "This is no statement, receipt, proof or checkpoint of ours.",
        "这不是我们的声明、收据、证明或检查点。",
    ),
}
#: What the script says, by the names that it uses: the page holds each for it.
STEPS: Final = tuple(name.removeprefix("say_") for name in CHECKING if name.startswith("say_"))
