"""What organisations' pages say."""

from __future__ import annotations

from typing import Final

from registry.portal.frame.words import Vocabulary

WORDS: Final[Vocabulary] = {
    "org_title": ("Organisation", "团队"),
    "org_lead": (
        (
            "You are signed in for this organisation. Datasets, licences and what you owe are at the command line and "
            "in the API, with a token."
        ),
        "你是以团队身份登录的。数据集、许可和应付款项在命令行和 API 里，用令牌操作。",
    ),
    "org_register": ("See what the public sees of you", "看看公众看到的你们"),
    "org_account": ("Sessions, keys and recovery codes", "登录、钥匙和恢复码"),
}
