"""What the page about one's own site says."""

from __future__ import annotations

from typing import Final

from registry.portal.frame.words import Plural, Vocabulary

SITE: Final[Vocabulary] = {
    "site": ("Put your terms on your own site", "把条件放上你的网站"),
    "site_lead": (
        "Most crawlers never ask here, but they read your site. These files tell them your terms in their own words.",
        "多数爬虫不会来这里问，但会读你的网站。这些文件用它们看得懂的话，说清你的条件。",
    ),
    "site_link": ("Put them on your own site", "放到自己的网站上"),
    "site_none": (
        "You have not signed terms for any picture yet. Sign first, then there is something to put up.",
        "你还没有给任何一张画签条件。先签，才有东西可放。",
    ),
    "site_at": ("The address of your site", "你网站的网址"),
    "site_at_hint": (
        "With it, the files point to each other. Without it they say no where they would have pointed.",
        "填了，文件之间可以互相指路；不填，本来要指路的地方就直接说不可以。",
    ),
    "site_at_go": ("Make the files for this address", "按这个网址生成"),
    "wrong_site": (
        "That is no address of a site. Please write it as https://ada.example, with nothing behind it.",
        "这不是网站的网址。请写成 https://ada.example 这样，后面不带别的。",
    ),
    "site_kit": ("Download the kit (zip)", "下载整套文件（zip）"),
    "site_for": ("Made for {site}.", "为 {site} 生成。"),
    "site_terms": ("What they say", "它们说的是"),
    "site_works": (
        Plural("It holds for your one picture under terms.", "It holds for your {n} pictures under terms."),
        "管你签了条件的 {n} 张画。",
    ),
    "site_strictest": (
        "Their terms differ, and a site has one answer: the strictest for each use.",
        "它们的条件不一样，而一个网站只能有一种说法：每种用途取最严的。",
    ),
    "use_unsaid": ("Left unsaid", "不说"),
    "site_unsaid": (
        "On search results the files keep silent where they can, so that search engines go on finding you.",
        "关于搜索结果，能不说的文件就不说，这样搜索引擎照样找得到你。",
    ),
    "site_law": (
        "The files state a reservation of rights. Exceptions in law may still apply.",
        "这些文件声明权利保留。法律规定的例外情形仍可能适用。",
    ),
    "site_files": ("What is in the kit", "里面有什么"),
    "site_files_text": (
        "No file is looser than what you signed. Where a form has no word for something, that stands below it.",
        "没有一个文件比你签的更宽松。哪种格式说不出什么，写在它下面。",
    ),
    "site_readme": ("What goes where, step by step.", "一步一步，什么放在哪里。"),
    "site_robots": (
        "Lines for your robots.txt. Crawlers that come for AI alone are shut out where nothing they come for is free.",
        "加进 robots.txt 的几行。专为 AI 来的爬虫，要拿的东西没有一样随便用的，就不让进。",
    ),
    "site_ai": ("Whether anything on the site may be trained on.", "整个网站能不能拿去训练。"),
    "site_tdmrep": (
        "A reservation against text and data mining, as the law of the EU asks for it.",
        "针对文本和数据挖掘的权利保留，按欧盟法律要求的写法。",
    ),
    "site_rsl": (
        "Your terms as crawlers read them: what you refuse, and where you offer something, at what price.",
        "给爬虫看的条件：哪些不可以；哪些可以谈，什么价钱。",
    ),
    "site_policy": (
        "What the reservation leads to: where you offer something, on which conditions. Else nothing is in it.",
        "权利保留指向的文件：你愿意给的，写明条件；什么都不给，里面就是空的。",
    ),
    "site_odrl": ("A policy that data sets can take over.", "数据集可以照搬的一份规则。"),
    "site_json": (
        "The terms that hold for all of your pictures, with every condition.",
        "管你所有画的条件，一条不少。",
    ),
    "site_page": ("A page for people, in English and Chinese.", "给人看的网页，中英文都有。"),
    "site_head": ("Lines for the head of each page that shows your pictures.", "放画的网页，<head> 里要加的几行。"),
    "site_nginx": ("Headers for a server that runs nginx.", "nginx 服务器要加的头。"),
    "site_apache": ("Headers for a server that runs Apache.", "Apache 服务器要加的头。"),
    "site_netlify": ("Headers for Netlify and Cloudflare Pages.", "Netlify 和 Cloudflare Pages 要加的头。"),
}
