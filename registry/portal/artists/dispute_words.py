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
    "dispute_state_decided": ("Decided, can still be appealed", "已裁决，还可以申诉"),
    "dispute_state_appealed": ("Appealed, somebody else looks again", "已申诉，等另一个人复核"),
    "dispute_state_upheld": ("Decided for whoever opened it", "裁决支持提出的一方"),
    "dispute_state_dismissed": ("Decided against whoever opened it", "裁决没有支持提出的一方"),
    "dispute_state_withdrawn": ("Taken back", "已撤回"),
    "dispute_over_won": ("Decided for you", "裁决支持你"),
    "dispute_over_lost": ("Decided against you", "裁决没有支持你"),
    "dispute_means_won_register": (
        (
            "What was said of the picture by whoever registered it permits nothing any more. To set terms of your own "
            "for it, register it, if you have not done so."
        ),
        "对方登记时写的条件，不再准许任何使用。如果你还没登记这张画，登记之后就能定自己的条件。",
    ),
    "dispute_means_won_register_go": ("Add the picture", "加入这张画"),
    "dispute_means_won_money": (
        (
            "What it earned and was held is yours. It is paid from claim level 2 on; what waits longer than 180 days "
            "goes back to whoever paid."
        ),
        "它挣到、先存着的钱归你。主张等级到 2 级就付给你；等了超过 180 天的，退给付钱的一方。",
    ),
    "dispute_means_won_money_go": ("Your claim level", "你的主张等级"),
    "dispute_means_won_licences": (
        "Licences that teams took on it before go on. From now on it is you who can revoke them.",
        "之前团队取得的许可还有效。从现在起，收回不收回由你决定。",
    ),
    "dispute_means_won_licences_go": ("See licences", "看许可"),
    "dispute_means_work_upheld_other": (
        (
            "This picture is not yours any more: nobody may use it under your terms, and what you sign for it has no "
            "effect. What it earned and was held goes to the other party, who can also revoke licences of before. What "
            "was payable to you before the dispute stays yours."
        ),
        (
            "这张画不再归你：谁都不能按你的条件使用，你再为它签什么都不起作用。它挣到、先存着的钱归对方，之前的许可也由对方"
            "决定收不收回。争议之前已经该付给你的，还是你的。"
        ),
    ),
    "dispute_means_work_dismissed_opener": (
        "The picture stays with the other party, under its terms as before. You cannot dispute it again.",
        "这张画还是由对方说了算，条件和以前一样。同一张画，你不能再提争议。",
    ),
    "dispute_means_work_dismissed_other": (
        "The picture stays yours. This dispute holds nothing any more: neither your terms nor its money.",
        "这张画还是你的。这个争议不再拦着什么：你的条件和它的收入都一样。",
    ),
    "dispute_means_charge_upheld_opener": (
        "The charge is taken back: what it took from you is yours again.",
        "这笔款项撤销了：从你这里拿走的，还给你。",
    ),
    "dispute_means_charge_upheld_other": (
        "The charge is taken back: what it credited to you is yours no more.",
        "这笔款项撤销了：记给你的钱，不再归你。",
    ),
    "dispute_means_charge_dismissed_opener": (
        "The charge stands, and nobody can dispute it again.",
        "这笔款项照旧，谁都不能再对它提争议。",
    ),
    "dispute_means_charge_dismissed_other": (
        "The charge stands. This dispute holds nothing of it any more.",
        "这笔款项照旧，这个争议不再扣着它的钱。",
    ),
    "dispute_means_withdrawn": ("Everything is as it was before the dispute.", "一切和提出争议之前一样。"),
    "dispute_road": ("How it goes on", "之后会怎样"),
    "dispute_road_answer": ("The other party has 14 days to answer.", "对方有 14 天答复。"),
    "dispute_road_decide": (
        "After its answer, or after these days, somebody who is no party decides. Nothing moves yet.",
        "对方答复了，或者 14 天过了，由和双方都无关的人裁决。这时候什么都还不会变。",
    ),
    "dispute_road_appeal": (
        "Whoever lost has 14 days to appeal once, or accepts it.",
        "输的一方 14 天内可以申诉一次，也可以接受。",
    ),
    "dispute_road_review": (
        "After an appeal somebody else looks at all of it, within 14 days, and that is final.",
        "申诉了，就由另一个人在 14 天内把全部内容再看一次，那就是最后结果。",
    ),
    "dispute_road_end": (
        "If nobody appeals, it is over after these 14 days as it was decided.",
        "没有人申诉，14 天一过就按裁决结束。",
    ),
    "dispute_new": ("Open a dispute", "提出争议"),
    "dispute_new_lead": (
        "Say in your own words what is wrong.",
        "用你自己的话说清楚哪里不对。",
    ),
    "dispute_new_work": (
        (
            "A picture of yours that somebody else registered: until that is over nobody may use it, unless their "
            "claim is better proven than yours."
        ),
        "别人登记了你的画：争议结束之前谁都不得使用，除非对方的主张比你的证明更充分。",
    ),
    "dispute_new_charge": (
        "A charge that takes something from you: until that is over nothing of it is paid.",
        "一笔从你账上扣钱的款项：争议结束之前不会付出去。",
    ),
    "dispute_new_few": (
        "At most five at a time; whoever is wrong three times in a year can open no more.",
        "最多同时五个；一年里三次没道理，就不能再提。",
    ),
    "dispute_about": ("What it is about", "关于什么"),
    "dispute_about_hint": (
        "The number of the picture (wrk_…), from its public page, or of the charge (tra_…), from your money.",
        "画的编号（wrk_…，在它的公开页上）或款项的编号（tra_…，在“收入”里，团队在“账目”里）。",
    ),
    "dispute_text": ("What happened", "怎么回事"),
    "dispute_text_answer": ("Your answer", "你的答复"),
    "dispute_text_withdraw": ("Why you take it back", "为什么撤回"),
    "dispute_text_appeal": ("What you say to it", "你要说的话"),
    "dispute_text_accept": ("A word about it", "说一句"),
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
    "dispute_sign_appeal": ("Appeal", "申诉"),
    "dispute_sign_accept": ("Accept the decision", "接受裁决"),
    "dispute_sign_go": ("Sign", "签名"),
    "dispute_oath_open": (
        "I dispute who may speak for this picture: it is mine.",
        "我提出争议：这张画是我的，该由我来决定怎么用。",
    ),
    "dispute_oath_open_charge": ("I dispute this charge: it is wrong.", "我对这笔款项提出争议：它不对。"),
    "dispute_oath_contest": ("I object to this dispute.", "我不同意这个争议。"),
    "dispute_oath_concede": ("I agree: whoever opened this dispute is right.", "我同意：提出争议的一方说得对。"),
    "dispute_oath_withdraw": ("I take this dispute back.", "我撤回这个争议。"),
    "dispute_oath_appeal": (
        "I appeal: this decision is wrong, and somebody else is to look again.",
        "我申诉：这个裁决不对，请另一个人再看一次。",
    ),
    "dispute_oath_accept": ("I accept the decision, although it is against me.", "裁决没有支持我，我接受。"),
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
        "争议马上结束，一切回到之前的样子。同一件事不能再提；如果对方已经表示不同意，就记你一次没有道理的争议。",
    ),
    "dispute_will_appeal": (
        "Somebody who has not decided yet looks at all of it once more. That is the end of it.",
        "由没有裁决过的另一个人把全部内容再看一次，那就是最后结果。",
    ),
    "dispute_will_accept": (
        "It ends at once: what was held goes where the decision says. This cannot be taken back.",
        "争议马上结束，存着的钱和画按裁决处理。接受了不能反悔。",
    ),
    "dispute_will_concede": (
        "It can be decided against you at once. This cannot be taken back.",
        "可能马上就会裁决对方有理。同意了不能反悔。",
    ),
    "dispute_attested": (
        (
            "Whoever agrees, takes a dispute back or accepts a decision gives something up: that needs your own "
            "passkey. Nothing was signed."
        ),
        "同意对方、撤回争议或接受裁决，都是放弃自己的东西，必须用你自己的通行密钥签。什么都没有签。",
    ),
    "dispute_holds": ("Until it is over", "结束之前"),
    "dispute_holds_yes": ("nobody may use it, and its money waits", "谁都不得使用，钱先存着"),
    "dispute_holds_money": ("its money waits", "钱先存着"),
    "dispute_holds_no": ("everything goes on as before", "一切照旧"),
    "dispute_ended": ("Ended on", "结束时间"),
    "dispute_until": ("An answer is awaited until", "答复截止"),
    "dispute_won": ("For you", "支持你"),
    "dispute_lost": ("Against you", "没有支持你"),
    "dispute_appeal_until": ("Can be appealed until", "申诉截止"),
    "dispute_review_until": ("Somebody else decides by", "复核截止"),
    "dispute_steps": ("What was said", "双方说了什么"),
    "dispute_step_open": ("Opened", "提出"),
    "dispute_step_answer": ("Answered", "答复"),
    "dispute_step_contest": ("Answered: objects", "答复：不同意"),
    "dispute_step_concede": ("Answered: agrees", "答复：同意"),
    "dispute_step_withdraw": ("Taken back", "撤回"),
    "dispute_step_decide": ("Decided", "裁决"),
    "dispute_step_upheld": ("Decided for whoever opened it", "裁决支持提出的一方"),
    "dispute_step_dismissed": ("Decided against whoever opened it", "裁决没有支持提出的一方"),
    "dispute_step_review": ("Looked at again", "复核"),
    "dispute_step_review_upheld": ("Looked at again: for whoever opened it", "复核：支持提出的一方"),
    "dispute_step_review_dismissed": ("Looked at again: against whoever opened it", "复核：没有支持提出的一方"),
    "dispute_step_appeal": ("Appealed", "申诉"),
    "dispute_step_accept": ("Accepted the decision", "接受裁决"),
    "dispute_step_end": ("It is over: nobody appealed", "结束：没有人申诉"),
    "dispute_proof": ("Download all of it with its proofs", "下载全部内容和证明"),
    "dispute_you": ("You", "你"),
    "dispute_registry": ("The registry, by somebody who is no party", "登记处，由和双方无关的人"),
    "dispute_gone": (
        "What stood here was erased, or is not in the public record yet.",
        "这里的内容已删除，或者还没进公开记录。",
    ),
    "dispute_next_open": ("Next: the other party answers", "接下来：对方答复"),
    "dispute_next_answered": ("Next: somebody who is no party decides", "接下来：由和双方无关的人裁决"),
    "dispute_next_decided": (
        "Next: it is over, unless whoever lost appeals in time",
        "接下来：输的一方不按时申诉，争议就结束",
    ),
    "dispute_next_appealed": (
        "Next: somebody else, who is no party, decides for good",
        "接下来：由另一个和双方无关的人最后裁决",
    ),
    "dispute_lost_do": ("What you can do", "你可以做什么"),
    "dispute_lost_text": (
        "Nothing has moved yet. You can appeal once, or accept the decision. If you do neither, it is over by itself.",
        "现在什么都还没有变。你可以申诉一次，也可以接受裁决；两样都不做，到时候自动结束。",
    ),
    "dispute_lost_late": (
        "The time to appeal is over, and the dispute will end as it was decided. You can accept it at once.",
        "申诉的时间过了，争议会按裁决结束。你也可以现在就接受。",
    ),
    "dispute_lost_appealed": (
        "You have appealed. If you see it differently by now, you can still accept the decision.",
        "你已经申诉。如果现在改了主意，还可以接受原来的裁决。",
    ),
    "dispute_pick_appeal": ("I appeal", "我不服，要申诉"),
    "dispute_pick_appeal_why": (
        "Say what was overlooked. Somebody else looks at all of it, and that is the end of it.",
        "说清楚漏看了什么。由另一个人把全部内容再看一次，那就是最后结果。",
    ),
    "dispute_pick_accept": ("I accept it", "我接受"),
    "dispute_pick_accept_why": (
        "It ends at once, as it was decided. This needs your passkey.",
        "马上按裁决结束。这要用你的通行密钥。",
    ),
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
        "这个不能提争议。请写别人登记的画的编号，或者从你账上扣钱的款项的编号。",
    ),
    "dispute_wrong_text": ("Please say in words what is wrong, not too long.", "请用文字说清楚哪里不对，别太长。"),
    "dispute_wrong_evidence": (
        "What it rests on has to be numbers of things that are here, with spaces between them.",
        "凭据要写这里有的编号，用空格隔开。",
    ),
    "dispute_wrong_position": ("Please choose whether you agree or object.", "请选同意还是不同意。"),
    "dispute_wrong_unknown": (
        "We know no such picture, and no such charge of yours.",
        "没有这张画，你的账上也没有这笔款项。",
    ),
    "dispute_wrong_state": ("That cannot be disputed as it stands.", "照现在的情况，这个不能提争议。"),
    "work_disputed": (
        "This picture is in dispute. Until that is over, nobody may use it and what it earns is held safe.",
        "这张画在争议中。争议结束之前，谁都不得使用，收入先替你存着。",
    ),
    "work_disputed_free": (
        "This picture is in dispute. As your claim is better proven, everything goes on as before until that is over.",
        "这张画在争议中。你的主张证明得更充分，争议结束之前一切照旧。",
    ),
    "work_lost": (
        (
            "You lost this picture in a dispute on {day}. It permits nothing any more, and what you sign for it has no "
            "effect."
        ),
        "{day}争议结束，这张画判给了对方。它不再准许任何使用，你再为它签什么都不起作用。",
    ),
    "work_dispute_see": ("See the dispute", "看这个争议"),
    "work_uses_closed": (
        "This is what you signed. None of it permits anything as long as nobody may use the picture.",
        "这是你签下的条件。在画不得使用的期间，哪一项都不准许使用。",
    ),
    "terms_lost": (
        Plural(
            "A picture that you lost in a dispute is left out: what you would sign for it has no effect.",
            "{n} pictures that you lost in disputes are left out: what you would sign for them has no effect.",
        ),
        "有 {n} 张画在争议里判给了别人，没有算在里面：你再为它们签什么都不起作用。",
    ),
    "terms_lost_see": ("See which", "看是哪些"),
    "will_met": (
        Plural(
            "One picture is contested: others claim what is like it. Until that is settled nobody may use it, whatever "
            "you sign.",
            "{n} pictures are contested: others claim what is like them. Until that is settled nobody may use them, "
            "whatever you sign.",
        ),
        "有 {n} 张画有争议：别人也主张很像的画。有结果之前，不管你签什么，谁都不得使用。",
    ),
    "work_waiting_met": (
        "Looser terms wait: {door}. They count only once it is settled whose picture this is.",
        "等着放宽：{door}。要等这张画归谁有了结果，才算数。",
    ),
    "home_contested": (
        Plural(
            "One picture is contested: others claim what is like it, and nobody may use it until that is settled.",
            "{n} pictures are contested: others claim what is like them, and nobody may use them until that is "
            "settled.",
        ),
        "有 {n} 张画有争议：别人也主张很像的画，有结果之前谁都不得使用。",
    ),
    "home_contested_see": ("See what you can do", "看看可以做什么"),
    "work_contested_do": (
        "What you can do: prove your claim better, or say that the picture is yours.",
        "你可以：把主张证明得更充分，或者提出这张画是你的。",
    ),
    "work_contested_dispute": (
        Plural("Dispute that picture", "Dispute picture no. {n}"),
        "对第 {n} 张提出争议",
    ),
}
