"""What the page says on which somebody joins a team by a link."""

from __future__ import annotations

from typing import Final

from registry.portal.frame.words import Vocabulary

JOINING: Final[Vocabulary] = {
    "jt_title": ("Join a team", "加入团队"),
    "jt_lead": (
        "You were sent a link by which you can act for a team here.",
        "有人发来链接，请你一起代表一个团队。",
    ),
    "jt_team": ("The team:", "团队："),
    "jt_open": (
        "With a passkey of your own you may do all that the team does here: sign, take licences, change its keys.",
        "用自己的通行密钥，你能替团队做这里的一切：签字、拿许可、更改钥匙。",
    ),
    "jt_open_next": (
        "Your device asks you twice: once to make the passkey, once to sign that you ask. The team then lets you in.",
        "设备会请你确认两次：一次建通行密钥，一次签下申请。之后由团队放行。",
    ),
    "jt_go": ("Make a passkey and ask", "建通行密钥并申请"),
    "jt_program": (
        "This link is for a program. On its machine, run this with the whole link in its place:",
        "这个链接是给程序用的。在那台机器上运行下面的命令，把链接整个填进去：",
    ),
    "jt_asked": (
        "You have asked. Tell these 16 digits to whoever invited you:",
        "申请交上去了。请把这 16 位核对码告诉邀请你的人：",
    ),
    "jt_asked_text": (
        (
            "By telephone or in person, so that they know it is you. Once they have let you in, sign in with the "
            "passkey that you made. If you did not ask, tell them: somebody else has used your link."
        ),
        (
            "打电话或当面说，对方才知道是你。放行之后，用刚建好的通行密钥登录。"
            "如果不是你申请的，请告诉对方：有人用了你的链接。"
        ),
    ),
    "jt_stale": (
        "The team’s keys have changed since you asked. Ask once more with the passkey that you made.",
        "申请之后，团队的钥匙变过。请用已经建好的通行密钥再申请一次。",
    ),
    "jt_again": ("Ask once more", "再申请一次"),
    "jt_joined": (
        "The team has let you in. Sign in with the passkey that you made.",
        "团队已经放行。请用建好的通行密钥登录。",
    ),
    "jt_expired": (
        "This link has run out. Ask whoever sent it for a new one.",
        "这个链接过期了。请向发给你的人要一个新的。",
    ),
    "jt_withdrawn": (
        "The team has taken this link back. Ask whoever sent it.",
        "团队撤回了这个链接。请问一问发给你的人。",
    ),
    "jt_unknown": (
        "This link opens nothing. Is it whole? Open it once more from the message it came in, or ask for a new one.",
        "这个链接打不开。是不是没复制全？请从原来的消息里再打开一次，或者要一个新的。",
    ),
    "jt_offline": (
        "We could not be reached. Check your connection, then open the link once more.",
        "连不上我们。请检查网络，再打开一次链接。",
    ),
    "jt_sign_in": ("Sign in", "登录"),
    "jt_noscript": (
        (
            "A passkey cannot be made without JavaScript, which is off in this browser. Turn it on and open the link "
            "once more; it is not used up."
        ),
        "没有 JavaScript 就建不了通行密钥，这个浏览器里它是关着的。请打开它，再点一次链接；链接还没有用掉。",
    ),
}
