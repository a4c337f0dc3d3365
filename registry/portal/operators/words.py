"""What operators' pages say."""

from __future__ import annotations

from typing import Final

from registry.portal.frame import purpose_words
from registry.portal.frame.ceremonies import PASSKEY
from registry.portal.frame.words import Plural, Vocabulary
from registry.portal.operators.key_words import KEYS

WORDS: Final[Vocabulary] = {
    **PASSKEY,
    **purpose_words.WORDS,
    **KEYS,
    "name": ("Name", "名字"),
    "state": ("State", "状态"),
    "since": ("Since", "起始时间"),
    "account": ("Account", "账号"),
    "none": ("None", "没有"),
    # health
    # home
    "home_decide": (
        Plural("A dispute can be decided now.", "{n} disputes can be decided now."),
        "有 {n} 个争议现在就可以裁决。",
    ),
    "home_review": (
        Plural("An appeal waits for you to review it.", "{n} appeals wait for you to review them."),
        "有 {n} 个申诉等你复核。",
    ),
    "home_disputes": ("See disputes", "看争议"),
    "health": ("How the registry is doing", "登记处运行情况"),
    "health_fine": ("Everything that the service needs is working.", "一切正常。"),
    "health_amiss": ("Something is amiss. What to do about it stands beside it.", "有地方不正常，旁边写着怎么办。"),
    "part": ("Part", "部件"),
    "fine": ("Fine", "正常"),
    "amiss": ("Amiss", "不正常"),
    "found": ("What was found", "检查结果"),
    "todo": ("What to do", "怎么办"),
    "part_database": ("Database", "数据库"),
    "part_schema": ("Schema", "数据库结构"),
    "part_log": ("Log", "日志"),
    "part_checkpoint": ("Published checkpoint of the log", "公布的日志检查点"),
    "part_guard": ("Guard against an older copy", "旧副本防护"),
    "part_archive": ("Archive", "归档"),
    "part_closes": ("Months that close", "月度结账"),
    "part_disputes": ("Reviews after appeals", "申诉复核"),
    "part_snapshot": ("Snapshot", "快照"),
    "part_index": ("Index", "索引"),
    "part_files": ("Files", "文件"),
    "part_keys": ("Keys", "密钥"),
    "log_size": ("Entries of the log", "日志条目"),
    "log_pending": ("Statements that wait for it", "等着写进日志的声明"),
    "snapshot": ("Newest snapshot", "最新快照"),
    # what closes left out
    "left_out": ("Left out when months closed", "结账时没算进去的协议"),
    "left_out_text": (
        (
            "These agreements could not be charged when the month closed. Nothing is lost: mend the reason, and the "
            "next close charges it once, in its own month."
        ),
        "这些协议在结账那个月没能算出费用。钱没有丢：把原因解决了，下一次结账会补记一次，记在那次结账的月份里。",
    ),
    "left_out_licence": ("Agreement", "协议"),
    "left_out_month": ("Month", "月份"),
    "left_out_why": ("Why", "原因"),
    # disputes
    "all": ("All", "全部"),
    "only": ("Only", "只看"),
    "disputes": ("Disputes", "争议"),
    "disputes_text": (
        (
            "What waits for somebody who is no party, the oldest first. You decide whose signature controls the "
            "record, never who owns the copyright."
        ),
        "这些争议要由和双方都无关的人来裁决，最早的排在最前。你裁决的是这条记录由谁签名说了算，不是版权归谁。",
    ),
    "disputes_none": ("There is no dispute.", "没有争议。"),
    "dispute": ("Dispute", "争议"),
    "dispute_opener": ("Opened by", "提出的一方"),
    "dispute_other": ("Other party", "另一方"),
    "dispute_due": ("Next", "接下来"),
    "dispute_due_open": ("To be decided from", "最早裁决时间"),
    "dispute_due_answered": ("Can be decided now", "现在就可以裁决"),
    "dispute_due_decided": ("Can be appealed until", "申诉截止"),
    "dispute_due_appealed": ("To be reviewed by", "复核截止"),
    "dispute_first": ("First decision", "第一次裁决"),
    "dispute_like": ("Has registered one like it:", "自己也登记了一张像它的："),
    "dispute_level": ("claim level {n}", "主张等级 {n}"),
    "dispute_registered": ("registered {day}", "{day}登记"),
    "dispute_gone": ("withdrawn", "已撤下"),
    "dispute_erased": ("An erased account", "已注销的账号"),
    "dispute_own": ("You decided; another operator reviews it", "是你裁决的，要由另一位复核"),
    "dispute_about": ("What it is about", "关于什么"),
    "dispute_open": ("Waits for an answer", "等对方答复"),
    "dispute_answered": ("Waits for a decision", "等你们裁决"),
    "dispute_decided": ("Decided, can still be appealed", "已裁决，还可以申诉"),
    "dispute_appealed": ("Appealed, waits for another operator", "已申诉，等另一位运营人员复核"),
    "dispute_upheld": ("Decided for whoever opened it", "裁决支持提出的一方"),
    "dispute_dismissed": ("Decided against whoever opened it", "裁决没有支持提出的一方"),
    "dispute_withdrawn": ("Taken back", "已撤回"),
    "dispute_step_open": ("Opened", "提出"),
    "dispute_step_answer": ("Answered", "答复"),
    "dispute_step_contest": ("Answered: objects", "答复：不同意"),
    "dispute_step_concede": ("Answered: agrees", "答复：同意"),
    "dispute_step_withdraw": ("Taken back", "撤回"),
    "dispute_step_decide": ("Decided", "裁决"),
    "dispute_step_appeal": ("Appealed", "申诉"),
    "dispute_step_accept": ("Accepted the decision", "接受裁决"),
    "dispute_step_review": ("Reviewed", "复核"),
    "dispute_step_review_upheld": ("Reviewed: for whoever opened it", "复核：支持提出的一方"),
    "dispute_step_review_dismissed": ("Reviewed: against whoever opened it", "复核：没有支持提出的一方"),
    "dispute_step_end": ("It is over: nobody appealed", "结束：没有人申诉"),
    "dispute_step_upheld": ("Decided for whoever opened it", "裁决支持提出的一方"),
    "dispute_step_dismissed": ("Decided against whoever opened it", "裁决没有支持提出的一方"),
    "dispute_decide": ("Decide", "裁决"),
    "dispute_decide_text": (
        (
            "Both parties read your reasons, and this cannot be taken back. Whoever lost can appeal for 14 days; "
            "nothing moves before that is over."
        ),
        "双方都会看到你的理由，裁决之后不能收回。输的一方可以在 14 天内申诉，这期间什么都不会动。",
    ),
    "dispute_wait": ("Can still be appealed", "还可以申诉"),
    "dispute_wait_text": (
        "Whoever lost can appeal until {at}. If nobody does, it ends by itself as it was decided.",
        "输的一方可以申诉到 {at}。没有人申诉，就自动按裁决结束。",
    ),
    "dispute_review": ("Review", "复核"),
    "dispute_review_text": (
        (
            "Whoever lost has appealed. Both parties read your reasons. What was held goes where you say at once, and "
            "this is the end of it."
        ),
        "输的一方提出了申诉。双方都会看到你的理由。先前扣住没动的，马上按你的决定处理，这就是最后的结果。",
    ),
    "dispute_review_own": (
        "You decided this first. Another operator reviews it.",
        "第一次是你裁决的，要由另一位运营人员来复核。",
    ),
    "dispute_early": (
        "The other party can answer until {at}. Decide after its answer, or after that.",
        "对方可以答复到 {at}。等对方答复了，或者过了这个时间，再来裁决。",
    ),
    "dispute_wrong": ("It was not decided:", "没能裁决："),
    "dispute_outcome": ("For whom?", "支持哪一方？"),
    "dispute_why": ("Reasons", "理由"),
    "dispute_why_hint": ("In a language that both parties read.", "用双方都看得懂的语言写。"),
    "dispute_decide_go": ("Decide it", "作出裁决"),
    # staff
    "staff": ("Auditors and operators", "审计员和运营人员"),
    "staff_text": (
        "Their passkeys open these pages and sign nothing: the log has none of it. Each step asks for your passkey.",
        "他们的通行密钥只用来打开这些页面，不签任何声明，所以不进日志。每一步都要再用一次你自己的通行密钥。",
    ),
    "role": ("Role", "角色"),
    "role_aud": ("Auditor", "审计员"),
    "role_opr": ("Operator", "运营人员"),
    "passkey": ("Passkey since", "通行密钥（启用日）"),
    "invitation": ("Invitation", "邀请"),
    "open_until": ("Open until", "有效至"),
    "tokens": ("Tokens in use", "在用的令牌"),
    "change": ("Change", "操作"),
    "invite_again": ("Invite again", "重新邀请"),
    "dismiss": ("End every way in", "取消全部访问权限"),
    "invite": ("Invite somebody", "邀请"),
    "invite_wrong": ("That could not be done:", "没办成："),
    "scope": ("What an auditor may see", "审计员可以看什么"),
    "scope_hint": (
        "Accounts and months, parted by spaces: org_… art_… 2026-01..2026-12. Left empty: everything.",
        "账号和月份，用空格隔开：org_… art_… 2026-01..2026-12。不填就是全部。",
    ),
    "invite_go": ("Make a link", "生成链接"),
    "invited": ("The invitation", "邀请链接"),
    "invited_text": (
        Plural(
            "Send this link to them alone. It is shown this once, and good for one day and one passkey.",
            "Send this link to them alone. It is shown this once, and good for {n} days and one passkey.",
        ),
        "只发给本人。链接只显示这一次，{n} 天内有效，只能建一把通行密钥。",
    ),
}
