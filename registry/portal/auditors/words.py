"""What auditors' pages say."""

from __future__ import annotations

from typing import Final

from registry.portal.frame.words import Plural, Vocabulary

WORDS: Final[Vocabulary] = {
    "all": ("All", "全部"),
    "only": ("Only", "只看"),
    "show_all": ("Show all", "看全部"),
    "none_such": ("There is nothing of that kind.", "没有这样的记录。"),
    "as_file": ("File", "文件"),
    "proof": ("Proof", "证据"),
    "log_entry": ("Entry of the log", "日志条目"),
    "state": ("State", "状态"),
    "month": ("Month", "月份"),
    "whose": ("Whose", "谁的"),
    "amount": ("Amount", "金额"),
    "works": ("Works", "作品"),
    "work": ("Work", "作品"),
    "model": ("Model", "模型"),
    # scope
    "scope": ("What you may look into", "你能查看的范围"),
    "scope_text": (
        "What you open, download and filter here is cut to it. Whoever invited you can tell you why it is as it is.",
        "你在这里打开、下载、筛选的，都限于这个范围。为什么这样定，可以问邀请你的人。",
    ),
    "scope_none": ("Nothing at present. Ask whoever invited you.", "目前没有。请问邀请你的人。"),
    "everybody": ("Everybody", "所有人"),
    "since": ("From", "从"),
    "until": ("To", "到"),
    "always": ("No limit", "不限"),
    "months": ("Months and their evidence", "各月和证据"),
    "months_text": (
        "A bundle is signed, and holds all that the month’s figures follow from. It is checked offline, by:",
        "证据包有签名，当月数字的全部依据都在里面。离线核对用：",
    ),
    "bundle": ("Evidence bundle", "证据包"),
    "tables": ("As tables (CSV)", "表格（CSV）"),
    "table_events": ("Uses", "使用"),
    "table_transfers": ("Transfers", "转账"),
    "table_entries": ("Entries", "分录"),
    "beyond": ("Not in your scope", "不在你的范围内"),
    "month_open": ("Running", "进行中"),
    "month_ended": ("Over, late reports still come", "已过，迟到的报告还会来"),
    "month_sealed": ("Nothing new comes in", "不再有新的记录"),
    "month_closed": ("Closed, and stated in the log", "已结账，并写入日志"),
    "at_entry": ("Entry {n} of the log", "日志第 {n} 条"),
    # the ledger
    "entries": ("Entries of the ledger", "总账分录"),
    "entries_text": (
        "Debits are positive, credits negative. Every amount leads to its transfer, and from there to the proof.",
        "借方为正，贷方为负。点金额看它属于哪笔转账，再往下就是证据。",
    ),
    "entries_none": (
        "There are no such entries in what you may look into.",
        "在你能查看的范围内，没有这样的分录。",
    ),
    "f_account": ("Account (org_… or art_…)", "账号（org_… 或 art_…）"),
    "f_period": ("Month (2026-11)", "月份（2026-11）"),
    "f_currency": ("Currency (USD)", "币种（USD）"),
    "f_source": ("Source (lic_…, bat_…)", "来源（lic_…、bat_…）"),
    "filter": ("Filter", "筛选"),
    "list": ("The newest first", "从新到旧"),
    "ledger_account": ("Account of the ledger", "总账科目"),
    "at": ("When", "时间"),
    "kind": ("What it is", "事项"),
    "source": ("From", "来源"),
    "memo": ("Note", "备注"),
    "day": ("Day", "日"),
    "days_title": ("Entries by day, {month}", "{month}每日分录"),
    "days_says": (
        Plural("One entry in {month}.", "{n} entries in {month}; the table below has each day."),
        "{month}共 {n} 条分录，每日数目见下面的表。",
    ),
    "days_table": ("The same as a table", "看表格"),
    "transfer": ("Transfer", "转账"),
    "entries_seen": ("Its entries", "它的分录"),
    "entries_seen_text": (
        "Those in your scope. A transfer adds up to zero over all its entries, of which some may be others’.",
        "这里只有你范围内的。一笔转账的全部分录合计为零，其中有些可能是别人的。",
    ),
    "events": ("Uses behind it", "背后的使用"),
    "events_text": (
        Plural("The first one.", "The first {n}, by work; the rest is in the month’s tables."),
        "按作品列出前 {n} 条，其余在当月的表格里。",
    ),
    "events_none": ("No uses in your scope stand behind it.", "在你的范围内，它背后没有使用记录。"),
    "use": ("Use", "用途"),
    "quantity": ("Quantity", "数量"),
    "fee": ("Fee within", "其中手续费"),
    "statement": ("Signed statement", "签过字的声明"),
    "proof_text": (
        "The file holds the signed statement and its proof from the log, and is checked without us.",
        "文件里有签过字的声明和日志证明，不靠我们就能核对。",
    ),
    "proof_none": (
        "It follows from no single statement that you may read; its month’s evidence bundle shows how it came about.",
        "它不出自某一份你能查看的声明；来龙去脉在当月的证据包里。",
    ),
    # duties
    "duties": ("Duties", "要做的事"),
    "duty": ("Duty", "事项"),
    "duties_text": (
        "What organisations have to do since artists revoked a licence, and by when.",
        "创作者撤回许可之后，使用方要做什么、什么时候之前做完。",
    ),
    "duties_none": ("There are none in your scope.", "你的范围内没有。"),
    "due_by": ("By", "期限"),
    "duty_open": ("Open", "待办"),
    "duty_overdue": ("Overdue", "逾期"),
    "duty_done": ("Done", "已完成"),
    "effect_stop-new-runs": ("No new training runs with these works", "不得再用这些作品训练"),
    "effect_retire-model": ("Retire the models trained on them", "停用用它们训练的模型"),
    "effect_unlearn": ("Make the models forget them", "让模型忘掉这些作品"),
}
