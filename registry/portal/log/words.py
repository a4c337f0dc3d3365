"""What the log's pages say."""

from __future__ import annotations

from typing import Final

from registry.portal.frame import doors, purpose_words
from registry.portal.frame.words import Plural, Vocabulary
from registry.portal.log.checking_words import CHECKING
from registry.portal.log.verify_words import VERIFYING

WORDS: Final[Vocabulary] = {
    **doors.WORDS,
    **purpose_words.WORDS,
    **CHECKING,
    **VERIFYING,
    "log": ("The public log", "公开日志"),
    "log_lead": (
        (
            "Everything that is signed here becomes a numbered entry, one after the other. Each new entry changes one "
            "number over all of them, the root, and the registry signs it. So nobody can change or take out an old "
            "entry unseen, and neither can we."
        ),
        (
            "在这里签的每一份声明，都会变成一条带编号的记录，一条接一条。每多一条，代表全部记录的那个数（根）就会变，"
            "再由登记处签名。所以谁也没法悄悄改掉或抽走旧记录，我们自己也不行。"
        ),
    ),
    "none": ("There is no entry yet.", "还没有记录。"),
    "none_text": (
        "The log begins with the registry’s own keys, as soon as it first runs.",
        "登记处第一次运行时，日志就从它自己的钥匙记起。",
    ),
    # the newest checkpoint
    "newest": ("What is signed now", "最新的签名"),
    "origin": ("Name of the log", "日志的名字"),
    "entries": ("Entries", "条数"),
    "root": ("Root", "根"),
    "last_at": ("Newest entry", "最新一条"),
    "next": ("The next signature", "下一次签名"),
    "next_text": (
        "As soon as somebody signs something; it takes about a second.",
        "有人签了新的，登记处一秒左右就跟着签。",
    ),
    "next_waiting": (
        Plural("{n} statement waits for it.", "{n} statements wait for it."),
        "有 {n} 份声明在等。",
    ),
    "signed_by": ("Who signed it", "谁签的"),
    "name": ("Name", "名字"),
    "line_key": ("Key", "钥匙"),
    "line_by": ("What it says to be", "身份"),
    "line_at": ("When", "时间"),
    "sign_log": ("The registry", "登记处"),
    "sign_beside": ("The registry, a second kind of signature (ML-DSA-44)", "登记处的第二种签名（ML-DSA-44）"),
    "sign_witness": ("A witness, who watches that the log only grows", "见证人：盯着日志，只许增不许改"),
    "sign_other": ("A key that this page does not know", "本页不认识的钥匙"),
    "no_witness": (
        "No witness has signed beside the registry. Keep what you saw, and compare it with others.",
        "还没有见证人一起签名。把你看到的存下来，和别人对一对。",
    ),
    "as_text": ("As it is published", "公布的原文"),
    # entries
    "recent": ("Entries, the newest first", "记录，从新到旧"),
    "find": ("Open an entry", "打开一条记录"),
    "find_number": ("Its number", "编号"),
    "find_go": ("Open", "打开"),
    "find_wrong": (
        "An entry has a whole number, from 0 on. It stands on receipts and on the pages of works.",
        "记录的编号是从 0 起的整数，写在收据和作品页上。",
    ),
    "number": ("No.", "编号"),
    "what": ("What it is", "是什么"),
    "when": ("When", "时间"),
    "digest": ("Digest", "摘要"),
    # months
    "months": ("Months that are closed", "已结账的月份"),
    "months_text": (
        "When a month’s accounts are closed, the log says so, with one number over all that was owed and paid.",
        "每个月结账后，日志里都会记上一条，用一个数锁定当月所有该付的和付过的。",
    ),
    "months_none": ("No month is closed yet.", "还没有结账的月份。"),
    "month": ("Month", "月份"),
    "month_entries": ("Its entries", "当月的记录"),
    "month_empty": ("None", "没有"),
    "month_close": ("Closed by", "结账记录"),
    # keys and files
    "keys": ("Keys of the log", "日志的钥匙"),
    "keys_text": (
        (
            "Copy the first one into whatever checks the log for you. The root key names all others; it is kept "
            "offline, and what a program remembers of this registry is the root."
        ),
        "用别的程序核对日志时，把第一把复制进去。其余的钥匙都由根钥匙指定；根钥匙离线保存，程序认登记处，认的就是它。",
    ),
    "key_log": ("Signs the log", "签日志的钥匙"),
    "key_beside": ("Signs beside it", "签第二种签名的钥匙"),
    "key_since": ("Counts from {n} entries on", "从 {n} 条起有效"),
    "key_span": ("Counts from {since} to {until} entries", "从 {since} 条到 {until} 条有效"),
    "key_root": ("Root key", "根钥匙"),
    "key_root_digest": ("Its digest, by which programs name it", "根钥匙的摘要，程序里用它来指根钥匙"),
    "files": ("The files themselves", "原始文件"),
    "files_text": (
        "They follow open specifications (C2SP), and programs of others read them, too.",
        "格式遵循公开的规范（C2SP），别人的程序也读得懂。",
    ),
    "file_checkpoint": ("Checkpoint", "检查点"),
    "file_keys": ("Statements about keys", "关于钥匙的声明"),
    "file_vkey": ("Newest key", "最新的钥匙"),
    "file_tile": ("Hashes (tile)", "哈希（tile）"),
    "file_entries": ("Entries (bundle)", "记录（bundle）"),
    # one entry
    "entry": ("Entry {number}", "第 {number} 条"),
    "entry_was": ("{kind}. It came into the log on {at}.", "{kind}。{at}进入日志。"),
    "entry_holds": (
        (
            "The log keeps no words of it, only a digest under a random number that is kept elsewhere. So nothing "
            "personal stands in public, and nothing can be guessed. The check code on a receipt is therefore another "
            "number; the page “Check it yourself” holds one to the other."
        ),
        "日志里不留原话，只留一个加了随机数的摘要，随机数另外保存。所以公开的部分没有任何个人信息，也猜不出来。收据上的核对码因此是另一个数，“自己核对”那一页会把两者对上。",
    ),
    "entry_plain": (
        "This kind of statement is the registry’s own. Its digest is over the statement as it is published.",
        "这类声明是登记处自己的，摘要直接来自公布的原文。",
    ),
    "about": ("What it is about", "关于什么"),
    "about_private": (
        (
            "Not told by its number: else the log would be a list of what everybody said. It is told on the page of "
            "the work, on the receipt, and to whoever signed it."
        ),
        "光凭编号看不到：不然日志就成了一份“谁说过什么”的名单。作品页和收据上都写着，签名的人登录后也能看到。",
    ),
    "about_work": ("The work", "作品"),
    "about_dataset": ("The dataset {name}", "数据集 {name}"),
    "about_model": ("A model in the public register", "公开登记里的一个模型"),
    "about_yours": ("You signed this.", "这是你签的。"),
    "about_statement": ("Statement with proof (JSON)", "声明及证据（JSON）"),
    "about_receipt": ("Your receipt", "你的收据"),
    "about_snapshot": (
        "Snapshot no. {sequence}: what counts of {works} works, over {size} entries.",
        "第 {sequence} 号快照：{works} 件作品目前的条件，依据是前 {size} 条记录。",
    ),
    "about_close": ("It closes {month}.", "{month}的账结在这里。"),
    "about_key": ("It names this key:", "它指定了这把钥匙："),
    "about_end": ("It ends this key:", "它停用了这把钥匙："),
    "work_words": ("In words", "用大白话说"),
    "bytes": ("The entry, byte for byte", "记录的原文，一个字节不差"),
    "leaf": ("Its hash in the tree", "它在树里的哈希"),
    "earlier": ("The entry before", "前一条"),
    "later": ("The entry after", "后一条"),
    # kinds of statements
    "kind_consent": ("Somebody said what may be done with works", "有人说了作品可以怎么用"),
    "kind_consent-mature": ("Looser terms took effect", "放宽后的条件生效了"),
    "kind_work-update": ("What is known of works was changed", "作品的资料有改动"),
    "kind_key-register": ("An account or a key began", "开了账号，或添了钥匙"),
    "kind_key-rotate": ("A key took the place of another", "换了一把钥匙"),
    "kind_key-revoke": ("A key ended", "停用了一把钥匙"),
    "kind_delegation": ("A key may sign for somebody else", "授权一把钥匙代签"),
    "kind_claim": ("How far somebody has proven who they are", "有人的主张等级变了"),
    "kind_split": ("Shares of a work were proposed", "有人提议作品怎么分成"),
    "kind_split-answer": ("Shares of a work were answered", "有人答复了分成的提议"),
    "kind_dispute-step": ("A step in a dispute", "争议有了进展"),
    "kind_quote": ("A price was quoted", "报了一个价"),
    "kind_licence": ("A licence was granted", "发出了一份许可"),
    "kind_licence-request": ("A team asked for a licence", "有团队申请许可"),
    "kind_licence-answer": ("A request for a licence was answered", "答复了许可申请"),
    "kind_licence-reply": ("A team took a request back, or declined an offer", "团队撤回了申请，或谢绝了报价"),
    "kind_licence-revoke": ("A licence was taken back", "收回了许可"),
    "kind_duty-done": ("A team said that it did its duty", "团队说该做的都做了"),
    "kind_run": ("A model was trained", "训练了一次模型"),
    "kind_usage-batch": ("Uses were reported", "申报了用量"),
    "kind_revenue-report": ("Revenue was reported", "申报了营收"),
    "kind_dataset-manifest": ("A dataset was filtered", "筛选了一个数据集"),
    "kind_model-card": ("A model was described", "介绍了一个模型"),
    "kind_audit-finding": ("An auditor found something", "审计员有发现"),
    "kind_erase": ("An account was deleted", "删除了一个账号"),
    "kind_registry-key": ("The registry named one of its keys", "登记处指定了一把自己的钥匙"),
    "kind_registry-key-revoke": ("The registry ended one of its keys", "登记处停用了一把自己的钥匙"),
    "kind_snapshot": ("The registry signed what counts at this moment", "登记处签下了目前有效的全部条件"),
    "kind_period-close": ("A month’s accounts were closed", "结了一个月的账"),
}
