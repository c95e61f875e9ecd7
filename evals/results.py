"""What a run found: a verdict a case and scorer, the share right with its interval, two runs compared by case."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from core.errors import InvalidInput
from core.text import Text


class Verdict(BaseModel):
    """One scorer's judgement of one case. `why` is empty when it is right."""

    model_config = ConfigDict(frozen=True)

    case: str
    scorer: str
    right: bool
    why: str = ""


class SuiteRun(BaseModel):
    """One suite, run once, against one subject."""

    model_config = ConfigDict(frozen=True)

    suite: str
    subject: str
    verdicts: tuple[Verdict, ...]

    @property
    def scorers(self) -> list[str]:
        return list(dict.fromkeys(v.scorer for v in self.verdicts))

    def of(self, scorer: str) -> list[Verdict]:
        return [v for v in self.verdicts if v.scorer == scorer]

    def share(self, scorer: str) -> float:
        found = self.of(scorer)
        return sum(v.right for v in found) / len(found)


class Run(BaseModel):
    """A whole run, as `zhongshu eval run` saves it."""

    model_config = ConfigDict(frozen=True)

    run: str
    at: str
    suites: tuple[SuiteRun, ...]

    def save(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.run}.json"
        path.write_text(self.model_dump_json(indent=1), encoding="utf-8")
        return path


def load_run(path: Path) -> Run:
    """A saved run.

    Raises:
        InvalidInput: the file is missing or is not a saved run.
    """
    try:
        return Run.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as cause:
        raise InvalidInput(
            Text("不是保存下来的评测结果", "not a saved eval run"),
            where={"file": str(path)},
            hint=Text("用 zhongshu eval run 生成", "Make one with: zhongshu eval run"),
        ) from cause


class Interval(NamedTuple):
    low: float
    high: float


def wilson(right: int, total: int, z: float = 1.96) -> Interval:
    """Wilson's score interval for a share, 95% by default."""
    if total == 0:
        return Interval(0.0, 1.0)
    p = right / total
    middle = p + z * z / (2 * total)
    spread = z * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total))
    return Interval((middle - spread) / (1 + z * z / total), (middle + spread) / (1 + z * z / total))


class Comparison(NamedTuple):
    """Baseline against candidate on the cases both judged. `p` is McNemar's exact two-sided p-value."""

    suite: str
    scorer: str
    cases: int
    baseline: float
    candidate: float
    lost: list[str]
    won: list[str]
    p: float


def compare(baseline: Run, candidate: Run) -> list[Comparison]:
    """Pair the two runs case by case, each suite and scorer on its own."""
    found = []
    for new in candidate.suites:
        old = next((s for s in baseline.suites if s.suite == new.suite), None)
        if old is None:
            continue
        for scorer in new.scorers:
            before = {v.case: v.right for v in old.of(scorer)}
            pairs = [(v.case, before[v.case], v.right) for v in new.of(scorer) if v.case in before]
            if pairs:
                found.append(_paired(new.suite, scorer, pairs))
    return found


def _paired(suite: str, scorer: str, pairs: Sequence[tuple[str, bool, bool]]) -> Comparison:
    lost = [case for case, before, after in pairs if before and not after]
    won = [case for case, before, after in pairs if after and not before]
    return Comparison(
        suite,
        scorer,
        len(pairs),
        sum(before for _, before, _ in pairs) / len(pairs),
        sum(after for *_, after in pairs) / len(pairs),
        lost,
        won,
        mcnemar_exact(len(lost), len(won)),
    )


def mcnemar_exact(lost: int, won: int) -> float:
    """Two-sided exact p-value that as lopsided a split of the changed cases is chance (binomial with 1/2)."""
    changed = lost + won
    if changed == 0:
        return 1.0
    tail: float = sum(math.comb(changed, k) for k in range(min(lost, won) + 1)) / 2**changed
    return min(1.0, 2.0 * tail)
