"""The page in a bundle for people: what is in it, what it comes to, how to check it; English and Chinese.

It follows from the period report alone, so a verifier writes it again and compares.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Final

from licet.audit.layout import PeriodReport

_STYLE: Final = (
    "body{font:16px/1.6 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1.5rem;color:#1d1d1f}"
    "table{border-collapse:collapse;width:100%;margin:1rem 0}th,td{text-align:left;padding:.35rem .8rem .35rem 0;"
    "border-bottom:1px solid #d2d2d7}td+td,th+th{text-align:right;font-variant-numeric:tabular-nums}"
    "code{background:#f5f5f7;padding:.1rem .3rem;border-radius:.25rem}section+section{margin-top:4rem}"
)
_COUNTS: Final = (
    ("licence", "Licences", "许可"),
    ("lines", "Works in these licences", "许可中的作品"),
    ("consent", "Consent statements behind them", "所依据的授权声明"),
    ("split", "Splits between co-owners", "共有人分成协议"),
    ("split-answer", "Answers to them", "共有人的答复"),
    ("dataset-manifest", "Datasets", "数据集"),
    ("run", "Training runs", "训练"),
    ("usage-batch", "Usage batches", "用量批次"),
    ("new", "Uses reported for the first time", "首次报告的使用"),
    ("known", "Uses reported again, without effect", "重复报告的使用（不计费）"),
    ("memorandum", "Uses outside a licence, recorded only", "许可之外的使用（仅作记录）"),
    ("transfers", "Transfers in the ledger", "账簿转账"),
)
_SOMETIMES: Final = (
    ("revenue-report", "Reports of revenue", "收入报告"),
    ("licence-reply", "Requests taken back and offers declined", "撤回的申请和谢绝的报价"),
    ("licence-revoke", "Revocations of licences", "许可撤销"),
    ("duty-done", "Duties stated to be done", "声明已履行的义务"),
    ("dispute-step", "Steps of disputes", "争议步骤"),
    ("model-card", "Statements about models", "关于模型的声明"),
    ("audit-finding", "Findings of auditors", "审计发现"),
)
_TOTALS: Final = (
    ("gross", "Owed by licensees", "被许可方应付"),
    ("payable", "Payable to artists", "应付艺术家"),
    ("escrow", "In escrow for artists", "为艺术家托管"),
    ("fee", "Fee of the registry", "登记处费用"),
    ("reversed", "Reversed", "已冲销"),
)


def render(report: PeriodReport, origin: str, made_at: str) -> str:
    """Return the page: static, without scripts, readable offline."""
    english, chinese = _section(report, origin, made_at, 0), _section(report, origin, made_at, 1)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(origin)} {report.period}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<section lang="en">\n{english}</section>\n<section lang="zh-Hans">\n{chinese}</section>\n</body>\n</html>\n'
    )


def title(report: PeriodReport, origin: str) -> str:
    """Return the line that journals begin with."""
    part = f"part of {report.account}, " if report.account else ""
    return f"Licet ledger of {origin}, {report.period}, {part}the period is {report.state}"


def _section(report: PeriodReport, origin: str, made_at: str, language: int) -> str:
    words = _ENGLISH if language == 0 else _CHINESE
    paragraphs = [words["intro"].format(origin=escape(origin), made_at=made_at)]
    paragraphs.append(words["whole"] if report.account is None else words["part"].format(account=report.account))
    paragraphs.append(words[report.state])
    if not report.uses:
        paragraphs.append(words["ledger-only"])
    if report.nothing_happened:
        paragraphs.append(words["nothing"])
    text = f"<h1>{words['title'].format(period=report.period)}</h1>\n"
    text += "".join(f"<p>{paragraph}</p>\n" for paragraph in paragraphs)
    counted = (*_COUNTS, *(each for each in _SOMETIMES if each[0] in report.counts))
    text += _table((names[language], str(report.counts.get(key, 0))) for key, *names in counted)
    for total in report.totals:
        rows = [(names[language], getattr(total, key)) for key, *names in _TOTALS]
        text += f"<h2>{escape(total.currency)}</h2>\n" + _table(rows)
    log = words["log"].format(opening=report.opening_size, closing=report.closing_size)
    return text + f"<p>{log}</p>\n<p>{words['check']}</p>\n"


def _table(rows: Iterable[tuple[str, str]]) -> str:
    return "<table>\n" + "".join(f"<tr><td>{a}</td><td>{escape(b)}</td></tr>\n" for a, b in rows) + "</table>\n"


_ENGLISH: Final = {
    "title": "Evidence for {period}",
    "intro": "Made by the registry {origin} at {made_at}.",
    "whole": "It covers everything that the registry did in this month.",
    "part": "It covers the part of one account, <code>{account}</code>.",
    "open": "<strong>The period is open:</strong> the figures are as they stand and may still grow.",
    "closed": "The period is closed.",
    "ledger-only": "It shows the ledger alone: uses of single works are shown from claim level 2 on.",
    "nothing": "<strong>Nothing happened:</strong> no licence, no dataset, no run, no use and no posting.",
    "log": "The public log had {opening} entries before the month and {closing} where this evidence ends.",
    "check": "Check it offline: <code>licet audit verify FILE.zip</code>. It trusts only the registry's root key that"
    " you pinned, and computes every figure again. <code>ledger.journal</code> opens in hledger,"
    " <code>ledger.beancount</code> in beancount, <code>usage/events.csv</code> in any spreadsheet; each file in"
    " <code>statements/</code> can be checked alone with <code>licet statement verify</code>.",
}
_CHINESE: Final = {
    "title": "{period} 证据包",
    "intro": "由登记处 {origin} 于 {made_at} 生成。",
    "whole": "包含登记处本月的全部记录。",
    "part": "仅包含账户 <code>{account}</code> 的部分。",
    "open": "<strong>本期尚未结账：</strong>数字为当前状态，仍可能增加。",
    "closed": "本期已结账。",
    "ledger-only": "仅显示账簿：单件作品的使用情况自声明等级 2 起可见。",
    "nothing": "<strong>本期无任何记录：</strong>没有许可、数据集、训练、使用或过账。",
    "log": "公开日志在本月之前有 {opening} 条记录，本证据截至第 {closing} 条。",
    "check": "离线验证：<code>licet audit verify FILE.zip</code>。它只信任您固定的登记处根密钥，并重新计算每一个数字。"
    "<code>ledger.journal</code> 可用 hledger 打开，<code>ledger.beancount</code> 可用 beancount 打开，"
    "<code>usage/events.csv</code> 可用任何电子表格打开；<code>statements/</code> 中的每个文件都可以用"
    " <code>licet statement verify</code> 单独验证。",
}
