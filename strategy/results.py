"""How a strategy is doing: what it fired, whom it reached, what went out, and what it changed against its holdout."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session

from core.context import RequestContext
from core.errors import Refused
from core.text import Text
from knowledge.catalog import Catalog
from strategy.delivery import repository
from strategy.document import Strategy
from strategy.experiment import Effect
from strategy.experiment.measure import measure


@dataclass(frozen=True, slots=True)
class Results:
    """Over all versions of a strategy. `verdicts`: decisions by what became of them (`dropped:<reason>`); `messages` by
    state; `effect` against the holdout, or `no_effect`: why none can be stated."""

    firings: int
    reached: int
    verdicts: dict[str, int]
    messages: dict[str, int]
    effect: Effect | None
    no_effect: Text | None

    @property
    def said(self) -> Text:
        sent, failed = self.messages.get("sent", 0), self.messages.get("failed", 0)
        kept = self.verdicts.get("holdout", 0)
        zh = (
            f"触发 {self.firings} 次，触达 {self.reached} 个对象，对照 {kept} 个；"
            f"消息已送出 {sent} 条，失败 {failed} 条。"
        )
        en = (
            f"{self.firings} firings, {self.reached} subjects reached, {kept} held out; {sent} messages sent,"
            f" {failed} failed."
        )
        if self.effect is None:
            told = self.no_effect or Text("", "")
            return Text(f"{zh}效果：{told.zh}", f"{en} Effect: {told.en}")
        e = self.effect
        points = [f"{100 * share:+.1f}" for share in (e.difference, e.low, e.high)]
        return Text(
            f"{zh}效果：转化率 {e.treated.rate:.1%}，对照 {e.holdout.rate:.1%}，相差 {points[0]} 个百分点"
            f"（{e.confidence:.0%} 区间 {points[1]} 到 {points[2]}）",
            f"{en} Effect: {e.treated.rate:.1%} converted against {e.holdout.rate:.1%} held out, {points[0]} points"
            f" ({e.confidence:.0%} interval {points[1]} to {points[2]})",
        )


def results(session: Session, ctx: RequestContext, catalog: Catalog, strategy: Strategy, now: int) -> Results:
    """`now`: event time up to which records are complete."""
    verdicts = repository.counts(session, ctx, strategy.name)
    effect, none = None, None
    try:
        effect = measure(session, ctx, catalog, strategy, now)
    except Refused as refused:
        none = refused.text
    return Results(
        firings=sum(verdicts.values()),
        reached=repository.reached(session, ctx, strategy.name),
        verdicts=verdicts,
        messages=repository.messages(session, ctx, strategy.name),
        effect=effect,
        no_effect=none,
    )
