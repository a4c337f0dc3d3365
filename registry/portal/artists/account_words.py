"""What the pages of one's account say of devices and keys."""

from __future__ import annotations

from typing import Final

from registry.portal.frame.words import Vocabulary

DEVICES: Final[Vocabulary] = {
    "keys": ("Devices and keys", "设备和钥匙"),
    "keys_lead": (
        "Each of these can sign for you. Two are better than one: lose a phone, and the other still opens the door.",
        "这里的每一把都能代表你签名。有两把最稳妥：丢了一部手机，另一把还开得了门。",
    ),
    "keys_here": ("used on this device", "这次登录用的"),
    "keys_since": ("Since", "添加于"),
    "keys_change": ("Add a device, or end a key", "添一台设备，或停用一把钥匙"),
    "keys_new": ("Add another device", "再添一台设备"),
    "keys_new_text": (
        (
            "A window opens in which you choose the other phone or computer (it shows a code to scan), or plug in a "
            "security key. Before anything counts you see what is signed."
        ),
        "会弹出一个窗口，在里面选另一部手机或电脑（会出现一个码，用它来扫），或者插一把安全密钥。真正生效之前，会先给你看要签什么。",
    ),
    "keys_new_go": ("Make a passkey on another device", "在另一台设备上建通行密钥"),
    "key_add_h1": ("One more key for your account", "给你的账号添一把钥匙"),
    "key_add_oath": (
        "From now on this passkey may do everything for my account that my other keys may.",
        "从现在起，这把通行密钥和我其他的钥匙一样，什么都能替我的账号做。",
    ),
    "key_add_does": (
        "Anyone can see in the public record that your account has one more key, not whose device it is.",
        "公开记录里谁都看得到你的账号多了一把钥匙，但看不出是哪台设备。",
    ),
    "key_add_touches": (
        "You will be asked twice: by the new device, then by this one.",
        "会请你确认两次：先在新设备上，再在这台上。",
    ),
    "key_add_go": ("Sign and add it", "签名并添上"),
    "key_end": ("End it", "停用"),
    "key_end_h1": ("End a key", "停用一把钥匙"),
    "key_end_oath": (
        "From now on this key may not sign for my account any more.",
        "从现在起，这把钥匙不能再替我的账号签名。",
    ),
    "key_end_does": (
        "It cannot be brought back. Sessions that it opened end at once.",
        "停用后不能恢复。用它登录的设备会立刻退出。",
    ),
    "key_end_kept": (
        "Everything that it signed before stays as it is.",
        "它之前签过的，都照旧有效。",
    ),
    "key_end_here": (
        "You are signed in with this very key: this device will be signed out.",
        "你这次登录用的就是它：这台设备会退出登录。",
    ),
    "key_end_go": ("Sign and end it", "签名并停用"),
    "key_last": ("This is your last key", "这是你最后一把钥匙"),
    "key_last_text": (
        "Without it you could sign nothing any more. Add another device first; then this one can go.",
        "没有它，你就什么都签不了了。先添一台别的设备，再停用这一把。",
    ),
}
