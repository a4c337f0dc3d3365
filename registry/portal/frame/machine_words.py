"""What the machine forms of terms are called, for the vocabularies of the rooms that show them."""

from __future__ import annotations

from typing import Final

from registry.portal.frame.words import Vocabulary

WORDS: Final[Vocabulary] = {
    "form_json": ("The terms themselves (JSON)", "条件本身（JSON）"),
    "form_headers": ("What a server says with each picture (headers)", "服务器送图时附带的话（HTTP 头）"),
    "form_rsl": ("A licence for crawlers (RSL)", "给爬虫看的许可（RSL）"),
    "form_tdmrep_json": ("A reservation against data mining (TDMRep)", "数据挖掘权利保留（TDMRep）"),
    "form_odrl": ("A policy for data sets (ODRL)", "给数据集用的规则（ODRL）"),
    "form_cawg": ("A statement inside the file, signed (CAWG, C2PA)", "写进文件、带签名的声明（CAWG、C2PA）"),
    "form_xmp": ("Words inside the file (XMP, PLUS)", "写进文件的说明（XMP、PLUS）"),
    "form_address": ("Its address", "它的地址"),
    "form_silent": ("It has no word for: {uses}.", "它没有词可以说：{uses}。"),
    "form_strict": ("It says a plain no to: {uses}.", "它只能直接说不可以：{uses}。"),
    "form_full": ("It says all of it.", "全都说得出来。"),
}
