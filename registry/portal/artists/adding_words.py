"""What is said while pictures are added; ``say_…`` by a script, which puts numbers and names where braces stand."""

from __future__ import annotations

from typing import Final

from registry.portal.frame.words import Plural, Vocabulary

ADDING: Final[Vocabulary] = {
    "add": ("Add pictures", "添加画"),
    "add_lead": (
        "Up to {n} at a time. You see what becomes of each, then you choose terms and sign once for all of them.",
        "一次最多 {n} 张。每一张怎么样了都看得到，然后定条件，一次签完。",
    ),
    "add_drop": (
        "Drop pictures or a folder anywhere on this page, or choose them here.",
        "把画或文件夹拖到这一页的任何地方，或者在这里选。",
    ),
    "add_choose": ("Pictures, from your files or your camera roll", "选画，从文件或手机相册"),
    "add_folder": ("Or a whole folder", "或者整个文件夹"),
    "add_formats": (
        "JPEG, PNG, WebP, GIF, TIFF, BMP or AVIF, up to {n} MB each.",
        "JPEG、PNG、WebP、GIF、TIFF、BMP、AVIF 都行，每张不超过 {n} MB。",
    ),
    "add_plain": (
        (
            "Scripts are off in this browser, or it is too old for them: {n} pictures at a time, and they are sent to "
            "us. We delete each file once its fingerprints are made. Keeping the file on your device needs scripts."
        ),
        (
            "这个浏览器没开脚本，或者太旧了：一次最多 {n} 张，而且要传给我们，指纹一做好就删原图。"
            "想让文件不离开设备，需要脚本。"
        ),
    ),
    "add_send": ("Send these pictures", "发送这些画"),
    "add_ways": ("Two ways; you choose", "两种方式，你来选"),
    "add_upload": ("Upload for strong matching", "上传，认得更准"),
    "add_upload_why": (
        (
            "We look at the picture, delete the file as soon as its fingerprints are made, and keep one small preview "
            "that only you see. Smaller, newly saved, recoloured and most cropped copies are recognised too."
        ),
        "我们看一眼画，指纹一做好就删掉文件，只留一张只有你看得到的小图。缩小的、重新保存的、调过色的和多数裁过的，也认得出。",
    ),
    "add_stays": ("Fingerprint only", "只留指纹"),
    "add_stays_why": (
        (
            "The file never leaves this device; its fingerprint and its name reach us. Only exact copies of the file "
            "are recognised. One that was made smaller, saved anew, cropped or screenshotted is not found, and most "
            "copies on the web are like that. You can say no with it, but not sell."
        ),
        (
            "文件不离开这台设备，我们只收到指纹和文件名。只认得出一模一样的文件：缩小过、重新保存过、裁过、截过屏的都找不到，"
            "而网上的多半都是这样。这样登记可以拒绝，不能出售。"
        ),
    ),
    "add_list": ("Your choice", "你选的画"),
    "add_again": ("Try now", "现在就再试"),
    "add_sign_in": ("Sign in and go on", "登录后继续"),
    "add_look": ("Look", "看看"),
    "add_off": ("Take off the list", "从列表拿掉"),
    "add_became": ("What became of them", "它们怎么样了"),
    "add_met": (
        "Added. Another account has registered a picture like it: until that is settled, nobody may use it.",
        "加好了。另一个账号登记了一张和它很像的画：有结果之前，谁都不得使用。",
    ),
    "add_not_yet": (
        "They are protected once you have signed terms for them.",
        "给它们签好条件，才算受到保护。",
    ),
    "add_sign": (
        Plural("Set terms for this picture", "Set terms for these {n} pictures"),
        "给这 {n} 张定条件",
    ),
    # of single pictures, after the plain form
    "add_done": ("Added. The file is deleted, its fingerprints stay.", "加好了。文件已删，指纹留下。"),
    "add_open": (
        "Here already, and not signed yet: it comes along.",
        "早就在了，还没签：这次一起签。",
    ),
    "add_yours": ("Here already, and signed. No need to add it.", "早就在了，也签过了，不用再加。"),
    "add_bad": (
        "We could not open it as a picture. Save it as JPEG or PNG and add that.",
        "这个文件不能当画打开。存成 JPEG 或 PNG 再加。",
    ),
    "add_large": (
        "It is larger than {n} MB. Save a smaller copy and add that.",
        "它超过 {n} MB。存一张小一点的再加。",
    ),
    "add_refused": ("It could not be added. Please try it once more.", "没加成，请再试一次。"),
    # of the plain form as a whole
    "add_wrong_none": ("There was no picture in it. Choose some, then send.", "里面没有画。先选，再发送。"),
    "add_wrong_many": (
        "Those were more than {n}, so none was added. Choose up to {n} at a time.",
        "超过了 {n} 张，所以一张都没加。一次最多选 {n} 张。",
    ),
}

#: Said by the script, by the names that it knows.
SAID: Final[Vocabulary] = {
    "say_phase-looking": ("Looking at your pictures, on this device.", "正在这台设备上看你的画。"),
    "say_phase-ready": (
        "Ready to add: {n}. Nothing has left this device yet.",
        "可以添加的：{n} 张。到现在什么都没离开这台设备。",
    ),
    "say_phase-sending": (
        "Adding. You can close this page; it goes on when you return.",
        "正在添加。可以关掉这一页，回来接着传。",
    ),
    "say_phase-offline": (
        "You are offline. What is done is done, and nothing is lost. We go on as soon as you are back.",
        "网断了。好了的都在，一张没丢。网一好就接着传。",
    ),
    "say_phase-busy": (
        "A lot is going on here. Nothing is lost; we go on by ourselves in a moment.",
        "我们这边有点忙。什么都没丢，过一会儿自动继续。",
    ),
    "say_phase-signin": (
        "You were signed out. Nothing is lost: sign in, and it goes on from here.",
        "你已退出登录。什么都没丢：登录之后从这里继续。",
    ),
    "say_phase-finished": (
        "Pictures to sign for: {n}. They are protected once you have signed.",
        "等你签名的：{n} 张。签了才算受到保护。",
    ),
    "say_phase-nothing": ("There is nothing to add in this list.", "这个列表里没有要加的。"),
    "say_count": ("{n} of {all}", "{n} / {all} 张"),
    "say_start": ("Add them ({n})", "添加（{n} 张）"),
    "say_sign": ("Set terms and sign ({n})", "定条件并签名（{n} 张）"),
    "say_off": ("Take {name} off the list", "把 {name} 从列表拿掉"),
    "say_too-many": (
        "You chose {n}, and there is room for {all} at a time: the last {more} were left out. Add them afterwards.",
        "你选了 {n} 张，一次最多 {all} 张：最后 {more} 张没有加进来。等这些好了再加。",
    ),
    "say_others": (
        "Other files in the folder, which are no pictures we can open: {n}. They were left out.",
        "文件夹里另有 {n} 个文件不是能打开的画，没有加进来。",
    ),
    "say_renamed": (
        "Another one has the same file name; this one is called “{name}” here.",
        "另有一张文件名相同，这张在这里叫“{name}”。",
    ),
    # of single pictures
    "say_sending": ("{n}", "大小 {n}"),
    "say_ready": ("{n}", "大小 {n}"),
    "say_deleted": ("Fingerprints made, file deleted.", "指纹做好了，文件已删。"),
    "say_yours": (
        "You have registered this one, as “{name}”. No need to add it.",
        "这张你登记过，叫“{name}”，不用再加。",
    ),
    "say_met": (
        "Another account has registered a picture like it: until that is settled, nobody may use it.",
        "另一个账号登记了一张和它很像的画：有结果之前，谁都不得使用。",
    ),
    "say_unsigned": (
        "You have registered this one, as “{name}”, but not signed for it: it comes along.",
        "这张你登记过，叫“{name}”，还没签：这次一起签。",
    ),
    "say_same": (
        "The same picture as “{name}” in this list. Once is enough.",
        "和列表里的“{name}”是同一张，加一次就够了。",
    ),
    "say_kind": (
        "We cannot open this format. Save it as JPEG or PNG and add that; keep this file as evidence.",
        "这个格式打不开。存成 JPEG 或 PNG 再加；这个文件可以留作证据。",
    ),
    "say_large": (
        "It has {n}; we take up to {all}. Save a smaller copy and add that; keep the large one as evidence.",
        "它有 {n}，我们最多收 {all}。存一张小一点的再加，大的留作证据。",
    ),
    "say_empty": ("There is nothing in this file.", "这个文件是空的。"),
    "say_gone": (
        "This device can no longer read the file. Choose it again, and it goes on.",
        "这台设备读不到这个文件了。重新选一次就能继续。",
    ),
    "say_bad": (
        "We could not open it as a picture; it may be damaged. Save it anew as JPEG or PNG and add that.",
        "不能当画打开，文件也许坏了。重新存成 JPEG 或 PNG 再加。",
    ),
    "say_refused": (
        "It could not be added. Take it off the list and add it once more.",
        "没加成。从列表拿掉，再加一次。",
    ),
    # in one word or two
    "say_is-looking": ("Looking", "正在看"),
    "say_is-ready": ("Not added yet", "还没加"),
    "say_is-waiting": ("Waiting", "等着"),
    "say_is-sending": ("Sending", "正在传"),
    "say_is-sent": ("Sent", "传好了"),
    "say_is-done": ("Added", "加好了"),
    "say_is-yours": ("Here already", "早就在了"),
    "say_is-met": ("Contested", "有争议"),
    "say_is-same": ("Twice", "重复了"),
    "say_is-not": ("Not added", "没加"),
}
