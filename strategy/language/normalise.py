"""A sentence made uniform before it is read: half width, lower case, simplified characters; each character keeps the
offset it had in the original, so that errors point into what the user typed."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

_TRADITIONAL = (
    "連连|續续|沒没|開开|過过|時时|內内|於于|間间|後后|對对|給给|發发|訂订|單单|戶户|員员|與与|還还|從从|並并|個个|為为|點点|結结|達达|滿满|營营|銷销|郵邮|電电|話话|訪访|門门|"
    "購购|買买|賣卖|錢钱|額额|數数|總总|計计|類类|級级|會会|離离|遠远|進进|設设|備备|擁拥|寫写|頁页|覽览|優优|專专|屬属|壓压|縮缩|夠够|終终|幾几|這这|們们|請请|幫帮|則则|當当|"
    "來来|無无|週周|歲岁|萬万|億亿|兩两|雙双|處处|決决|訴诉|務务|執执|動动|觸触|鐘钟|條条|筆笔|張张|錄录|擊击|瀏浏|邊边|圍围|競竞|臨临|範范|較较|漲涨|減减|餘余|選选|擇择|驗验|"
    "證证|觀观|測测|調调|頻频|預预|導导|歷历|紀纪|應应|該该|實实|現现|產产|業业|機机|險险|貨货|費费|質质|飲饮|鐵铁|網网|頂顶|參参|試试|區区|佔占|絕绝|異异|長长|標标|號号|頭头|"
    "麼么|嗎吗|讓让|將将|種种|檢检|體体|藥药|醫医|養养|師师|課课|學学|習习|報报|團团|轉转|貸贷|駕驾|車车|辦办|約约|維维|護护"
)
_SIMPLE = {pair[0]: pair[-1] for pair in _TRADITIONAL.split("|") if len(pair) >= 2}
_PLAIN = {"’": "'", "‘": "'", "`": "`", "–": "-", "—": "-", "−": "-", "⇒": "→", "➔": "→", "➜": "→", "⟶": "→", "～": "~"}


@dataclass(frozen=True, slots=True)
class Normal:
    """Normalised text; `starts[i]` is the original offset of its i-th character, `starts[-1]` the original length."""

    text: str
    original: str
    starts: tuple[int, ...]

    def where(self, start: int, end: int) -> dict[str, int]:
        """A span of the normalised text as an error's place in the original."""
        begin, stop = self.starts[start], self.starts[max(end, start)]
        return {"offset": begin, "length": max(stop - begin, 1 if begin < len(self.original) else 0)}

    def said(self, start: int, end: int) -> str:
        """What the user typed there."""
        return self.original[self.starts[start] : self.starts[end]]


def normalise(text: str) -> Normal:
    """NFKC by character, lower case, traditional to simplified for the characters of the fixed vocabulary."""
    out: list[str] = []
    starts: list[int] = []
    for offset, char in enumerate(text):
        plain = unicodedata.normalize("NFKC", _PLAIN.get(char, char)).lower()
        for c in plain:
            out.append(_SIMPLE.get(c, _PLAIN.get(c, c)))
            starts.append(offset)
    return Normal("".join(out), text, (*starts, len(text)))


def plain(text: str) -> str:
    """Only the text of `normalise`."""
    return normalise(text).text
