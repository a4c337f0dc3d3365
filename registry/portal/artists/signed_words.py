"""What the list of everything that an account signed says, by kind."""

from __future__ import annotations

from typing import Final

from registry.portal.frame.words import Plural, Vocabulary

SIGNED: Final[Vocabulary] = {
    "receipts": ("Everything you signed", "你签过的一切"),
    "receipts_lead": (
        "Each leads to what it is about; its number in the public record leads to its proof, and to the file with it.",
        "每一条都能点进去看说的是什么；公开记录编号里有它的证明，也能下载带证明的文件。",
    ),
    "receipts_see": ("See all of it", "全部看看"),
    "receipts_none": ("You have not signed anything yet.", "你还没签过什么。"),
    "receipts_what": ("What you signed", "签了什么"),
    "receipts_only": ("Only one kind", "只看一类"),
    "receipts_all": ("Everything", "全部"),
    "receipts_registry": ("Signed by the registry, about you", "登记处签的，说的是你"),
    "receipts_works": (Plural("one work", "{n} works"), "{n} 件作品"),
    "signed_consent": ("Terms", "使用条件"),
    "signed_consent-mature": ("Looser terms took effect", "放宽的条件开始生效"),
    "signed_work-update": ("What is known of works was changed", "改了作品的资料"),
    "signed_key-register": ("A key, added", "添加的钥匙"),
    "signed_key-register_first": ("The account began, with its first key", "用第一把钥匙开了账号"),
    "signed_key-rotate": ("A key took the place of another", "换了一把钥匙"),
    "signed_key-revoke": ("The end of a key", "停用了一把钥匙"),
    "signed_delegation": ("A key may sign for you", "授权一把钥匙代签"),
    "signed_claim": ("How far you have proven who you are", "你的身份证明到了哪一级"),
    "signed_split": ("Shares of a work, proposed", "提议作品怎么分成"),
    "signed_split-answer": ("Answers about shares of works", "对分成的答复"),
    "signed_split-answer_accept": ("Shares of a work, agreed to", "同意了作品的分成"),
    "signed_split-answer_decline": ("Shares of a work, declined", "没同意作品的分成"),
    "signed_dispute-step": ("Steps in disputes", "争议里的步骤"),
    "signed_dispute-step_open": ("A dispute, opened", "提出了争议"),
    "signed_dispute-step_answer": ("A dispute, answered", "答复了争议"),
    "signed_dispute-step_withdraw": ("A dispute, taken back", "撤回了争议"),
    "signed_dispute-step_appeal": ("An appeal against a decision", "对裁决提出了申诉"),
    "signed_dispute-step_accept": ("A decision, accepted", "接受了裁决"),
    "signed_licence": ("A licence, taken", "取得了许可"),
    "signed_licence-request": ("A licence, asked for", "申请了许可"),
    "signed_licence-answer": ("Answers to requests for licences", "对许可申请的答复"),
    "signed_licence-answer_offer": ("An offer to a team", "给团队报了价"),
    "signed_licence-answer_refuse": ("A request, refused", "谢绝了许可申请"),
    "signed_licence-answer_withdraw": ("An offer to a team, taken back", "撤回了给团队的报价"),
    "signed_licence-reply": ("Requests taken back and offers declined", "撤回的申请和谢绝的报价"),
    "signed_licence-reply_withdraw": ("A request to an artist, taken back", "撤回了向作者提的申请"),
    "signed_licence-reply_decline": ("An artist’s offer, declined", "谢绝了作者的报价"),
    "signed_licence-revoke": ("A licence, taken back", "收回了许可"),
    "signed_duty-done": ("A duty, stated to be done", "申报该做的做完了"),
    "signed_dataset-manifest": ("A dataset, filtered", "筛选了一个数据集"),
    "signed_run": ("A training run", "训练了一次模型"),
    "signed_model-card": ("A model, described", "说明了一个模型"),
    "signed_usage-batch": ("Uses, reported", "申报了用量"),
    "signed_revenue-report": ("Revenue, reported", "申报了营收"),
    "signed_erase": ("The account, deleted", "删除了账号"),
}
#: Every kind that an account has in the log, as the list can be narrowed to it.
KINDS: Final = tuple(
    each.removeprefix("signed_") for each in SIGNED if each.startswith("signed_") and each.count("_") == 1
)
