"""What the journal shows of the stream: how often events come and to how many subjects. Only its newest few thousand
are looked at, so that asking costs little however long the journal is."""

from __future__ import annotations

from collections import Counter, defaultdict

from core.events import Event
from core.times import DAY, HOUR
from knowledge.catalog import Catalog
from strategy.engine.cost import Load
from strategy.engine.groups import groups_of, subjects_of
from strategy.journal import input_from
from strategy.repository import JournalRepository

SAMPLE = 5_000
"""Events looked at."""


def observed(journal: JournalRepository, catalog: Catalog) -> Load:
    """Rates and numbers of subjects. Of a longer journal the sample shows only some of the subjects; how many there are
    is estimated from how often it shows one once and twice (Chao 1984), and is at least what it shows."""
    groups = groups_of(catalog)
    found = [input_from(row) for row in journal.newest_events(SAMPLE)]
    events = [item for item in found if isinstance(item, Event)]
    whole = len(events) < SAMPLE
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    types: Counter[str] = Counter()
    for event in events:
        types[event.type] += 1
        for subject in subjects_of(event, groups):
            seen[subject.partition("/")[0]][subject] += 1
    subjects = {kind: len(counts) if whole else _all(counts) for kind, counts in seen.items()}
    times = [event.time for event in events]
    days = max(max(times, default=0) - min(times, default=0), DAY if whole else HOUR) / DAY
    rates = {
        name: count / days / max(1, subjects.get(catalog.events[name].subject, 1))
        for name, count in types.items()
        if name in catalog.events
    }
    return Load(rates, subjects)


def _all(found: Counter[str]) -> int:
    """How many subjects there are in all, when a sample shows these, each so often."""
    once, twice = (sum(1 for count in found.values() if count == wanted) for wanted in (1, 2))
    unseen = once * once / (2 * twice) if twice else once * (once - 1) / 2
    return round(len(found) + unseen)
