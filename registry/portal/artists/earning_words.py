"""What artists' pages say of money and of what claim levels stand on."""

from __future__ import annotations

from typing import Final

from registry.portal.frame.words import Plural, Vocabulary

EARNINGS: Final[Vocabulary] = {
    "earnings": ("Money", "收入"),
    "earnings_none": (
        "Nothing is owed to you yet. When a team pays for a picture, every line of it stands here.",
        "还没有你的钱。有团队为你的画付费，每一笔都会写在这里。",
    ),
    "earnings_escrow": (
        "What is held for you waits until your claim level is 2. If that takes longer than 180 days, it goes back to "
        "whoever paid.",
        "替你存着的钱，要等你的主张等级到 2 级才能付给你。超过 180 天还没到，就退给付钱的人。",
    ),
    "earnings_way": ("How to get there", "怎么升到 2 级"),
    "earnings_hidden": (
        "Who used your pictures is shown from claim level 2 on.",
        "谁用了你的画，主张等级到 2 级才看得到。",
    ),
    "home_escrow": (
        "Money waits for you. It is held until your claim level is 2; who used your pictures is shown from then on.",
        "有钱在等你：先替你存着，主张等级到 2 级才付，那时也能看到谁用了你的画。",
    ),
    "home_money": ("See what is owed, line by line", "一笔一笔看收入"),
    "lines": ("Every entry", "每一笔"),
    "charges": ("What was charged for your pictures", "为你的画收了什么"),
    "charges_none": ("There is nothing of that kind.", "没有这样的。"),
    "charges_month": ("Only {month}", "只看{month}"),
    "show_all": ("Show all", "看全部"),
    "adds_up": ("They add up to {amount}.", "加起来是 {amount}。"),
    "side": ("Account", "账户"),
    "side_payable": ("Owed to you", "该付给你的"),
    "side_escrow": ("Held for you", "替你存着的"),
    "side_transit": ("On its way to you", "正在付给你的"),
    "side_receivable": ("Owed by you", "你欠的"),
    "kind": ("What for", "为什么"),
    "kind_licence": ("A licence was taken", "取了许可"),
    "kind_usage": ("Uses were reported", "申报了使用"),
    "kind_allocation": ("Your share of an agreement", "协议里你的一份"),
    "kind_other": ("Settlement", "结算"),
    "month": ("Month", "月份"),
    "amount": ("Amount", "金额"),
    "status": ("State", "状态"),
    "entry_number": ("Number in the ledger", "账本编号"),
    "from": ("Comes from", "来自"),
    "charge_stands": ("Stands", "有效"),
    "charge_escrow": ("Held for you", "替你存着"),
    "charge_contested": ("Disputed, so held", "有异议，先存着"),
    "charge_refunded": ("Taken back", "已退回"),
}
