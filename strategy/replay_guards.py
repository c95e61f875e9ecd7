"""Cap, quiet hours and budget in a replay: the live decision, for everyone, over what the replay has let out so far."""

from __future__ import annotations

from collections import Counter

from core.times import Micros
from strategy.delivery.decide import DecisionInput, Outcome, Verdict, decide
from strategy.document import Strategy
from strategy.engine.port import Firing
from strategy.experiment.assign import Assignment

_EVERYONE = Assignment(in_rollout=True, holdout=False, variant=None, bucket=0.0)


class ReplayGuards:
    """Cap, quiet hours and budget as live decisions apply them, over what this replay has let out so far."""

    def __init__(self, zone: str) -> None:
        self._zone = zone
        self._spent: Counter[str] = Counter()
        self._due: dict[tuple[str, str], list[Micros]] = {}

    def decide(self, firing: Firing, strategy: Strategy) -> Verdict:
        cap, place = strategy.guards.cap, (firing.strategy, firing.subject)
        due = [t for t in self._due.get(place, ()) if cap and t > firing.at - cap.per]
        verdict = decide(
            DecisionInput(
                strategy=strategy,
                at=firing.at,
                assignment=_EVERYONE,
                audience=firing.audience,
                recent=len(due),
                spent=self._spent[firing.strategy],
                zone=self._zone,
            )
        )
        if goes_out(verdict):
            self._spent[firing.strategy] += 1
            if cap:
                self._due[place] = [*due, verdict.not_before]
        return verdict


def goes_out(verdict: Verdict) -> bool:
    return verdict.outcome in (Outcome.DELIVERED, Outcome.DEFERRED)
