"""What artists' pages say of money: charges, uses, months, payments, entries."""

from __future__ import annotations

from typing import Final

from registry.portal.frame.words import Plural, Vocabulary

#: How the first characters of some countries' names read there, where that is not how they read elsewhere.
READ: Final = str.maketrans({"卡": "ka ", "喀": "ka ", "朝": "chao ", "秘": "bi "})
EARNINGS: Final[Vocabulary] = {
    "earnings": ("Money", "收入"),
    "earnings_none": (
        "Nothing is owed to you yet. When a team pays for a picture, every line of it stands here.",
        "还没有你的钱。有团队为你的画付费，每一笔都会写在这里。",
    ),
    "earnings_escrow": (
        (
            "What you earn is held until your claim level is 2. If that takes longer than {days} days, it goes back to "
            "whoever paid."
        ),
        "你的收入先替你存着，主张等级到 2 级才付给你。超过 {days} 天还没到，就退给付钱的人。",
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
    "tab_earnings": ("Overview", "总览"),
    "tab_uses": ("Who used what", "谁用了什么"),
    "tab_licences": ("Licences", "许可"),
    "tab_requests": ("Requests", "许可申请"),
    "tab_statements": ("Monthly statements", "月结单"),
    "tab_payments": ("Payments to you", "付给你的钱"),
    "tab_entries": ("Every entry", "每一笔账"),
    "charges": ("What was charged for your pictures", "为你的画收了什么"),
    "charges_none_yet": ("Nothing yet.", "还没有。"),
    "charges_none": ("There is nothing of that kind.", "没有这样的记录。"),
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
    "dispute_this": ("Dispute this", "提出异议"),
    "charges_net": ("What is yours, after the registry’s fee.", "扣掉登记处的费用以后，归你的数目。"),
    "charge": ("This charge", "这一笔"),
    "dataset": ("Dataset", "数据集"),
    "dataset_none": ("None was named", "没有写明"),
    "uses": ("Uses", "使用次数"),
    "together": ("Together", "合计"),
    "together_here": ("Together on this page", "本页合计"),
    "picture": ("Picture", "画"),
    "run": ("Training run", "训练"),
    "under_terms": ("Under which terms", "依据的条件"),
    "under_signed": ("What you signed", "你签的条件"),
    "paid_gross": ("They pay", "对方付"),
    "paid_fee": ("Fee in it", "其中费用"),
    "charge_uses": ("The uses in it", "里面的每次使用"),
    "charge_uses_none": (
        "No single use is behind it: it is your share of what was made, or of a picture that others registered.",
        "它背后没有单次使用：这是你分到的一份，或者来自别人登记、你有份的画。",
    ),
    "proof": ("Signatures and proof", "签名和证明"),
    "proof_signed_licence": (
        "{team} and the registry signed the licence, and the public record has it.",
        "{team} 和登记处都在许可上签了字，公开记录里有它。",
    ),
    "proof_signed_batch": (
        "{team} signed this report of uses, and the public record has it.",
        "{team} 在这份使用报告上签了字，公开记录里有它。",
    ),
    "signed_thing": ("Signed document", "签字文件"),
    "signed_key": ("Signed with key", "签字的钥匙"),
    "licence_file": ("The signed file", "签过字的文件"),
    "proof_closed": (
        (
            "The books of {month} are closed, by entry {number} of the public record. Your line in them is proven "
            "without showing anybody else’s."
        ),
        "{month}的账已经结了，见公开记录第 {number} 条。你那一行有证明，而且看不到别人的。",
    ),
    "proof_open": (
        "The books of {month} are still open. Once they are closed, the public record proves your line in them.",
        "{month}的账还没结。结了以后，公开记录能证明你那一行。",
    ),
    "proof_line": ("Your line, with its proof", "你的那一行和证明"),
    "proof_bundle": ("Everything of the month, to check offline", "整个月的证据，可离线核对"),
    "uses_h1": ("Who used what in {month}", "{month}谁用了什么"),
    "uses_unsaid": ("Not said who", "没有写明是谁"),
    "uses_none_here": ("All charges on this page were taken back.", "这一页的款项都已退回。"),
    "uses_month": (
        "What the whole month comes to, by team, stands in its statement.",
        "整个月按团队合计的数，写在当月的月结单里。",
    ),
    "uses_none": ("Nothing was charged for your pictures in this month.", "这个月没有为你的画收过钱。"),
    "months_text": (
        "A statement shows each month in both languages, with everything in it checked before it is drawn.",
        "每个月一份月结单，中英文都有；里面的每个数都核对过才画出来。",
    ),
    "months_none": ("No month has begun yet.", "还没有账。"),
    "month_closed": ("Closed, entry {number} of the public record", "已结，公开记录第 {number} 条"),
    "month_open": ("Not closed yet", "还没结"),
    "month_statement": ("Statement", "月结单"),
    "month_page": ("Page", "网页"),
    "month_line": ("Your line", "你的那一行"),
    "month_bundle": ("All evidence", "全部证据"),
    "entries_text": (
        (
            "The ledger, as it concerns you. Nothing in it is ever changed or removed; what is taken back is a line "
            "of its own."
        ),
        "账本里和你有关的每一笔。写下的不改也不删；要退回，就另记一笔。",
    ),
    "from_lic": ("A licence", "许可"),
    "from_bat": ("A report of uses", "使用报告"),
    "from_rem": ("A payment to you", "付给你的款"),
    # payments
    "payout": ("Where you are paid", "收款账户"),
    "payout_none": ("You have not said yet where to pay you.", "你还没说钱付到哪里。"),
    "payout_now": ("{name}, account in {place} ending in {ends}", "{name}，{place}的账户，账号末尾 {ends}"),
    "payout_usable": ("Paid there from {when} on.", "{when}起往这里付。"),
    "payout_how": (
        Plural(
            "What is owed to you is paid after one day, once it can hardly be contested any more.",
            "What is owed to you is paid after {n} days, once it can hardly be contested any more.",
        ),
        "该付给你的钱，过 {n} 天、基本没有争议了，就付给你。",
    ),
    "payout_how_soon": ("What is owed to you is paid with the next payment.", "该付给你的钱，下一次付款时就付。"),
    "payout_least": ("Less than {amount} waits for more.", "不到 {amount} 的，先攒着。"),
    "payout_or": (" or ", " 或 "),
    "payout_change": ("Say where to pay you", "填写收款账户"),
    "payout_other": ("Change it", "换一个账户"),
    "payout_warn": (
        Plural(
            "Once you save it, nothing is paid there for one day, so that you can step in if it was not you. You are "
            "told of it, and your passkey is asked for.",
            "Once you save it, nothing is paid there for {n} days, so that you can step in if it was not you. You are "
            "told of it, and your passkey is asked for.",
        ),
        "存了以后 {n} 天内不往那里付钱，万一不是你填的，还来得及拦下。我们会通知你，还会请你用一次通行密钥。",
    ),
    "payout_warn_soon": (
        "Once you save it, the next payment goes there. You are told of it, and your passkey is asked for.",
        "存了以后，下一次就付到那里。我们会通知你，还会请你用一次通行密钥。",
    ),
    "payout_name": ("Name on the account, as the bank knows it", "户名，和银行登记的一致"),
    "payout_bank": ("Where is the account?", "账户开在哪里？"),
    "payout_bank_go": ("Show what to fill in", "看要填什么"),
    "payout_at": ("An account in {place}", "{place}的账户"),
    "payout_optional": ("(if you know it)", "（知道就填）"),
    "payout_iban": ("IBAN", "国际银行账号（IBAN）"),
    "payout_account": ("Account number", "账号（卡号）"),
    "payout_bic": ("BIC of the bank (SWIFT code), such as BKCHCNBJ", "银行的 BIC（SWIFT 代码），比如 BKCHCNBJ"),
    "payout_aubsb": ("BSB, 6 digits", "BSB 号，6 位数字"),
    "payout_cacpa": ("Routing number, 9 digits", "汇款路径号，9 位数字"),
    "payout_cnaps": ("CNAPS code of the branch, 12 digits", "开户行联行号，12 位数字"),
    "payout_hkncc": ("Bank code, 3 digits", "银行代码，3 位数字"),
    "payout_infsc": ("IFSC, such as HDFC0000001", "IFSC 代码，比如 HDFC0000001"),
    "payout_jpzgn": ("Bank and branch code, 7 digits", "银行和支店代码，7 位数字"),
    "payout_krbok": ("Bank code, 3 digits", "银行代码，3 位数字"),
    "payout_nzncc": ("Bank and branch number, 6 digits", "银行和支行号，6 位数字"),
    "payout_sgibg": ("Bank and branch code, 7 digits", "银行和支行代码，7 位数字"),
    "payout_thcbc": ("Bank code, 3 digits", "银行代码，3 位数字"),
    "payout_twncc": ("Bank and branch code, 7 digits", "银行和分行代码，7 位数字"),
    "payout_usaba": ("Routing number (ABA), 9 digits", "汇款路径号（ABA），9 位数字"),
    "payout_zancc": ("Branch code, 6 digits", "支行代码，6 位数字"),
    "payout_country": ("Country where you live", "你住在哪个国家或地区"),
    "payout_save": ("Pay me there", "以后付到这里"),
    "wrong_name": ("Please give the name as it stands on the account.", "请写账户上的户名。"),
    "wrong_iban": (
        "This IBAN is not right. Look for a slip, such as two digits swapped.",
        "这个 IBAN 不对，看看是不是有数字写错或写反了。",
    ),
    "wrong_account": (
        "That is no account number of that country: look for a digit too many or too few.",
        "这不是那里的账号，看看是不是多了或少了数字。",
    ),
    "wrong_bic": (
        "That is no BIC of a bank there: 8 or 11 letters and digits, which your bank’s site or app tells.",
        "这不是那里的银行的 BIC：8 位或 11 位字母和数字，银行网站或手机银行里查得到。",
    ),
    "wrong_clearing": (
        "That code does not hold: look for a slip. Your bank tells you what it is.",
        "这个代码不对，看看有没有写错。可以问银行。",
    ),
    "wrong_country": ("Please choose one of the countries.", "请选一个国家或地区。"),
    "payments": ("Every payment", "每次付款"),
    "payments_none": ("Nothing has been paid yet.", "还没有付过款。"),
    "payment": ("Payment", "付款"),
    "payment_lines": ("What it paid", "付的是哪些"),
    "payment_carried_in": ("Parts of a cent from the payment before", "上次留下的零头"),
    "payment_carried_out": ("Parts of a cent for the next payment", "留到下次的零头"),
    "payment_total": ("Its lines add up to", "各行加起来"),
    "remit_prepared": ("On its way", "在路上"),
    "remit_paid": ("Paid", "已付"),
    "remit_returned": ("Came back from the bank, owed to you again", "被银行退回，重新算作该付给你的"),
    "remit_cancelled": ("Cancelled, owed to you again", "已取消，重新算作该付给你的"),
    "remit_booked": ("Booked by the bank", "银行入账"),
}
