"""What pages of disputes say."""

from __future__ import annotations

from typing import Final

from registry.portal.frame.words import Plural, Vocabulary

DISPUTES: Final[Vocabulary] = {
    "disputes": ("Disputes", "争议"),
    "disputes_lead": (
        "Somebody registered your picture, or a charge is wrong: say so here. Somebody who is no party decides.",
        "有人登记了你的画，或者有一笔钱不对：在这里说。由和双方都无关的人来裁决。",
    ),
    "disputes_see": ("See disputes, or open one", "看争议，或者提出一个"),
    "disputes_none": ("You are in no dispute.", "你没有争议。"),
    "disputes_audited": ("Disputes in your scope, with all that both parties say.", "你范围内的争议，以及双方说的话。"),
    "disputes_audited_none": ("There is no dispute in your scope.", "你的范围内没有争议。"),
    "dispute_between": ("{name} against {other}", "{name} 对 {other}"),
    "dispute_open": ("Open", "打开"),
    "dispute_with": ("You against {name}", "你对 {name}"),
    "dispute_by": ("{name} against you", "{name} 对你"),
    "dispute_work": ("A picture", "一张画"),
    "dispute_charge": ("A charge", "一笔款项"),
    "dispute_state_open": ("Waits for an answer", "等对方答复"),
    "dispute_state_answered": ("Waits for a decision", "等裁决"),
    "dispute_state_upheld": ("Decided for whoever opened it", "裁决支持提出的一方"),
    "dispute_state_dismissed": ("Decided against whoever opened it", "裁决没有支持提出的一方"),
    "dispute_state_withdrawn": ("Taken back", "已撤回"),
    "dispute_new": ("Open a dispute", "提出争议"),
    "dispute_new_lead": (
        "Say in your own words what is wrong. The other party has 14 days to answer.",
        "用你自己的话说清楚哪里不对。对方有 14 天答复。",
    ),
    "dispute_new_work": (
        (
            "A picture of yours that somebody else registered: until it is decided nobody may use it, unless their "
            "claim is better proven than yours."
        ),
        "别人登记了你的画：裁决之前谁都不得使用，除非对方的主张比你的证明更充分。",
    ),
    "dispute_new_charge": (
        "A charge that takes something from you: until it is decided nothing of it is paid.",
        "一笔让你付了钱的款项：裁决之前不会付出去。",
    ),
    "dispute_new_few": (
        "At most five at a time; whoever is wrong three times in a year can open no more.",
        "最多同时五个；一年里三次没道理，就不能再提。",
    ),
    "dispute_about": ("What it is about", "关于什么"),
    "dispute_about_hint": (
        "The number of the picture (wrk_…), from its public page, or of the charge (tra_…), from your money.",
        "画的编号（wrk_…，在它的公开页上）或款项的编号（tra_…，在你的账目里）。",
    ),
    "dispute_text": ("What happened", "怎么回事"),
    "dispute_text_answer": ("Your answer", "你的答复"),
    "dispute_text_withdraw": ("Why you take it back", "为什么撤回"),
    "dispute_text_hint": ("At most {n} characters. The other party reads it.", "最多 {n} 个字，对方看得到。"),
    "dispute_evidence": ("What it rests on", "凭什么"),
    "dispute_evidence_hint": (
        "If you like: numbers of pictures, statements or licences, with spaces between them.",
        "可以不填：画、声明或许可的编号，用空格隔开。",
    ),
    "dispute_preview": ("Show what I would sign", "看看要签的字"),
    "dispute_sign_open": ("Open a dispute", "提出争议"),
    "dispute_sign_contest": ("Object", "提出异议"),
    "dispute_sign_concede": ("Agree", "同意对方"),
    "dispute_sign_withdraw": ("Take it back", "撤回争议"),
    "dispute_sign_go": ("Sign", "签名"),
    "dispute_oath_open": (
        "I dispute who may speak for this picture: it is mine.",
        "我对这张画由谁说了算提出争议：它是我的。",
    ),
    "dispute_oath_open_charge": ("I dispute this charge: it is wrong.", "我对这笔款项提出争议：它不对。"),
    "dispute_oath_contest": ("I object to this dispute.", "我不同意这个争议。"),
    "dispute_oath_concede": ("I agree: whoever opened this dispute is right.", "我同意：提出争议的一方说得对。"),
    "dispute_oath_withdraw": ("I take this dispute back.", "我撤回这个争议。"),
    "dispute_said": ("In your words", "你的话"),
    "dispute_will_tell": ("{name} is told at once and has 14 days to answer.", "会马上通知 {name}，对方有 14 天答复。"),
    "dispute_will_record": (
        "Only both parties, whoever decides, and auditors can read it; the public record keeps a digest.",
        "只有双方、裁决的人和审计看得到；公开记录里只留摘要。",
    ),
    "dispute_will_open": ("You can take it back until it is decided.", "裁决之前可以撤回。"),
    "dispute_will_withdraw": (
        (
            "It ends at once, and everything is as it was before. You cannot open it again; if the other party has "
            "objected already, it counts as one in which you were wrong."
        ),
        "争议马上结束，一切回到之前的样子。同一件事不能再提；如果对方已经表示不同意，就算你没道理一次。",
    ),
    "dispute_will_concede": (
        "It can be decided against you at once. This cannot be taken back.",
        "可能马上就会裁决对方有理。同意了不能反悔。",
    ),
    "dispute_attested": (
        "Whoever agrees, or takes a dispute back, gives something up: that needs your own passkey. Nothing was signed.",
        "同意对方或撤回争议，都是放弃自己的东西，必须用你自己的通行密钥签。什么都没有签。",
    ),
    "dispute_holds": ("Until it is decided", "裁决之前"),
    "dispute_holds_yes": ("nobody may use it, and its money waits", "谁都不得使用，钱先存着"),
    "dispute_holds_money": ("its money waits", "钱先存着"),
    "dispute_holds_no": ("everything goes on as before", "一切照旧"),
    "dispute_over": ("it is over", "已经结束"),
    "dispute_ended": ("Ended on", "结束时间"),
    "dispute_until": ("An answer is awaited until", "答复截止"),
    "dispute_steps": ("What was said", "双方说了什么"),
    "dispute_step_open": ("Opened", "提出"),
    "dispute_step_answer": ("Answered", "答复"),
    "dispute_step_contest": ("Answered: objects", "答复：不同意"),
    "dispute_step_concede": ("Answered: agrees", "答复：同意"),
    "dispute_step_withdraw": ("Taken back", "撤回"),
    "dispute_step_decide": ("Decided", "裁决"),
    "dispute_step_upheld": ("Decided for whoever opened it", "裁决支持提出的一方"),
    "dispute_step_dismissed": ("Decided against whoever opened it", "裁决没有支持提出的一方"),
    "dispute_proof": ("Download all of it with its proofs", "下载全部内容和证明"),
    "dispute_you": ("You", "你"),
    "dispute_registry": ("The registry, by somebody who is no party", "登记处，由和双方无关的人"),
    "dispute_gone": (
        "What stood here was erased, or is not in the public record yet.",
        "这里的内容已删除，或者还没进公开记录。",
    ),
    "dispute_next_open": ("Next: the other party answers", "接下来：对方答复"),
    "dispute_next_answered": ("Next: somebody who is no party decides", "接下来：由和双方无关的人裁决"),
    "dispute_answer": ("Answer", "答复"),
    "dispute_pick_contest": ("I object", "我不同意"),
    "dispute_pick_contest_why": (
        "Say why; then somebody who is no party decides.",
        "说明理由，然后由和双方无关的人裁决。",
    ),
    "dispute_pick_concede": ("I agree", "我同意"),
    "dispute_pick_concede_why": ("They are right. This needs your passkey.", "对方说得对。这要用你的通行密钥。"),
    "dispute_wrong_subject": (
        (
            "That cannot be disputed. Please give the number of a picture that somebody else registered, or of a "
            "charge that takes something from you."
        ),
        "这个不能提争议。请写别人登记的画的编号，或者让你付了钱的款项的编号。",
    ),
    "dispute_wrong_text": ("Please say in words what is wrong, not too long.", "请用文字说清楚哪里不对，别太长。"),
    "dispute_wrong_evidence": (
        "What it rests on has to be numbers of things that are here, with spaces between them.",
        "凭据要写这里有的编号，用空格隔开。",
    ),
    "dispute_wrong_position": ("Please choose whether you agree or object.", "请选同意还是不同意。"),
    "dispute_wrong_unknown": (
        "We know no such picture, and no such charge of yours.",
        "没有这张画，你的账目里也没有这笔款项。",
    ),
    "dispute_wrong_state": ("That cannot be disputed as it stands.", "照现在的情况，这个不能提争议。"),
    "work_contested_do": (
        "What you can do: prove your claim better, or say that the picture is yours.",
        "你可以：把主张证明得更充分，或者提出这张画是你的。",
    ),
    "work_contested_dispute": (
        Plural("Dispute that picture", "Dispute picture no. {n}"),
        "对第 {n} 张提出争议",
    ),
}
