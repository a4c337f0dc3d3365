"""What pages say while a passkey is used, in every room that has such a page (``templates/ceremony.html``)."""

from __future__ import annotations

import re
from typing import Any, Final

from litestar import Request

from registry.portal.frame.words import Vocabulary

# Browsers inside other apps, which have no passkeys: WeChat, QQ, Weibo, Alipay, DingTalk, Douyin, Facebook, Instagram.
_EMBEDDED: Final = re.compile(
    r"MicroMessenger|\bQQ/|\bWeibo|AlipayClient|DingTalk|aweme|BytedanceWebview|FBAN|FBAV|Instagram|Line/",
    re.IGNORECASE,
)

#: What keys are called, and what those of a class may do.
KEYS: Final[Vocabulary] = {
    "alg_webauthn": ("Passkey", "通行密钥"),
    "alg_ed25519": ("Key file", "密钥文件"),
    "class_root": ("May do everything", "什么都能做"),
    "class_recovered": ("From a recovery: for seven days it may only tighten", "恢复而来：七天内只能收紧"),
    "class_delegate": ("On your behalf, within limits", "代你办事，有限度"),
}
PASSKEY: Final[Vocabulary] = {
    "pk_unsupported": (
        "This browser cannot use passkeys. Open this page in Chrome, Safari, Edge or Firefox, up to date.",
        "这个浏览器用不了通行密钥。请用新版的 Chrome、Safari、Edge 或手机自带浏览器打开本页。",
    ),
    "pk_cancelled": (
        "The passkey window was closed, or nothing answered in it. Nothing happened; you can try again.",
        "通行密钥窗口关掉了，或者没有等到回应。什么都没有发生，可以再试一次。",
    ),
    "pk_waiting": (
        "Your phone or computer now asks for your fingerprint, face or screen lock.",
        "手机或电脑现在会请你用指纹、面容或锁屏密码确认。",
    ),
    "pk_refused": (
        "That was not accepted. Load this page anew and try once more.",
        "没有通过。请重新打开这一页，再试一次。",
    ),
    "pk_barred": (
        (
            "That was not accepted: this passkey may not do it, or too much time has passed. Load this page anew and "
            "try once more."
        ),
        "没有通过：这把通行密钥不能做这件事，或者等得太久了。请重新打开这一页，再试一次。",
    ),
    "pk_meanwhile": (
        "Something has changed meanwhile. Load this page anew to see how it stands.",
        "刚才有了变化。请重新打开这一页看看。",
    ),
    "pk_stranger": (
        (
            "This passkey opens no account here. It may have been ended, or the team that invited you has not let it "
            "in yet: ask them, or try another passkey."
        ),
        "这把通行密钥打不开这里的账号。可能已经停用；如果是受邀加入团队，可能对方还没放行。请问问对方，或者换一把再试。",
    ),
    "pk_offline": (
        "We could not be reached. Nothing was sent; check your connection and try again.",
        "连不上我们。什么都没有发出去，请检查网络后再试。",
    ),
    "pk_noscript": (
        "Passkeys need JavaScript, which is off in this browser. Reading works without it.",
        "通行密钥需要 JavaScript，这个浏览器里它是关着的。只看不签不需要它。",
    ),
    "pk_known": (
        "This device has a passkey of your account already. Choose another device or a security key in that window.",
        "这台设备已经有你账号的通行密钥了。请在那个窗口里选另一台设备，或者插一把安全密钥。",
    ),
    "pk_bytes": ("The exact bytes", "要签的原文"),
    "pk_bytes_text": (
        "Your passkey signs the digest of exactly these characters, and nothing else.",
        "通行密钥签的就是这些字符的摘要，一个字符不多，一个字符不少。",
    ),
    "pk_window": (
        (
            "Your device will ask for your fingerprint, face or screen lock. Its window shows the name of this site "
            "only; what counts is what stands here."
        ),
        "接下来设备会请你用指纹、面容或锁屏密码确认。那个窗口只显示网站名，请以这里写的为准。",
    ),
    "pk_attested": (
        "Without scripts the registry signs that you asked for this in your session.",
        "没有脚本时，由登记处签字证明这是你登录后要求的。",
    ),
    "pk_embedded": ("This page is open inside another app.", "这个页面是在另一个应用里打开的。"),
    "pk_embedded_text": (
        "WeChat, QQ and the like cannot use passkeys. Choose “Open in browser” in the menu at the top right.",
        "微信、QQ 里用不了通行密钥。请点右上角菜单，选“在浏览器打开”，再继续。",
    ),
}


def embedded(request: Request[Any, Any, Any]) -> bool:
    """Whether the page is asked for by a browser inside another app."""
    return _EMBEDDED.search(request.headers.get("user-agent", "")[:1_000]) is not None
