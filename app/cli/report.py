"""The report of a replay as people read it; the same content as its JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.text import Lang, Text

_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 60
_CONDITIONS = 5
"""Conditions in the way that are listed."""


def report_lines(report: dict[str, Any], lang: Lang, *, with_sample: bool) -> Iterator[str]:
    """`report` as `Report.as_dict` gives it in this language."""

    def say(zh: str, en: str) -> str:
        return Text(zh, en).say(lang)

    if report["first_day"]:
        first, last, days = report["first_day"], report["last_day"], report["days"]
        yield say(f"{first} 至 {last}，{days} 天：", f"{first} to {last}, {days} days:")
    for found in report["strategies"]:
        yield f"{found['firings']:>8,}  {found['name']}"
        for line in _strategy(found, lang):
            yield f"          {line}"
    if with_sample and report["sample"]:
        shown, whole = len(report["sample"]), report["firings"]
        yield say(f"抽样 {shown} 次（共 {whole:,} 次）：", f"A sample of {shown} out of {whole:,}:")
        for fired in report["sample"]:
            yield f"  {fired['at']}  {fired['subject']}  {fired['strategy']}"
            for why in fired["why"]:
                yield f"    {why}"


def _strategy(found: dict[str, Any], lang: Lang) -> Iterator[str]:
    if found["firings"]:
        yield _pace(found).say(lang)
        yield _reach(found).say(lang)
    if found["dropped"]:
        listed = "、" if lang == "zh" else ", "
        reasons = listed.join(f"{each['said']} {each['firings']:,}" for each in found["dropped"])
        yield Text(f"没有放行：{reasons}", f"not let out: {reasons}").say(lang)
    if found["why_not"]:
        yield from _why_not(found["why_not"], lang)


def _pace(found: dict[str, Any]) -> Text:
    days = found["by_day"]
    most = max(days, key=lambda day: int(day["firings"]))
    bars = _bars([day["firings"] for day in days])
    return Text(
        f"平均每天 {found['per_day']:.3g} 次，最多 {most['firings']:,} 次（{most['day']}）  {bars}",
        f"{found['per_day']:.3g} a day on average, {most['firings']:,} at most ({most['day']})  {bars}",
    )


def _reach(found: dict[str, Any]) -> Text:
    reached, known, share = found["subjects"], found["known_subjects"], found["share"]
    first, last = found["first"], found["last"]
    return Text(
        f"触及 {reached:,} 个对象，占已知 {known:,} 个的 {share:.1%}；首次 {first}，末次 {last}",
        f"{reached:,} of {known:,} known subjects ({share:.1%}); first {first}, last {last}",
    )


def _bars(counts: list[int]) -> str:
    """One character a day, or for several days where there are many."""
    size = -(-len(counts) // _WIDTH)
    sums = [sum(counts[start : start + size]) for start in range(0, len(counts), size)]
    top = max(sums, default=0)
    return "".join(_BARS[round(n / top * (len(_BARS) - 1))] for n in sums) if top else ""


def _why_not(told: dict[str, Any], lang: Lang) -> Iterator[str]:
    looked = told["looked_at"]
    if not looked:
        yield Text("还没有记录可看", "nothing is on record to look at").say(lang)
        return
    yield Text(
        f"从未触发。结束时看了 {looked} 个对象，其中不成立的条件：",
        f"it never fired. Conditions that were not true, of {looked} subjects looked at when time ended:",
    ).say(lang)
    for each in told["conditions"][:_CONDITIONS]:
        said = f"{each['missing']:>5}  {each['condition']}"
        if count := each["unknown"]:
            said += Text(f"（其中未知 {count}）", f" ({count} of them unknown)").say(lang)
        if "occurred" in each:
            times = each["occurred"]
            said += Text(f"（发生过 {times:,} 次）", f" (it happened {times:,} times)").say(lang)
        yield said
    if nearest := told.get("nearest"):
        yield Text(f"最接近的是 {nearest['subject']}：", f"it came nearest for {nearest['subject']}:").say(lang)
        yield from (f"  {line}" for line in nearest["lines"])
