"""Batches of several senders in one transaction come out as one after another would, and one that fails fails alone."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from core.context import RequestContext
from core.ids import TenantId
from core.times import SECOND, format_time
from strategy.journal import Journal, Taken
from strategy.repository import JournalRepository
from tests.strategy.livehub import CTX, NOW, LiveHub, login

OTHER = RequestContext(TenantId("other"), CTX.actor, CTX.role, CTX.purpose)
Sent = tuple[RequestContext, list[dict[str, Any]], bool]
PAUSE = threading.Event()


def batches(seed: int) -> list[Sent]:
    """Of two tenants, with duplicates within and across batches, late ones, bad ones, facts and history."""
    chance = random.Random(seed)
    found: list[Sent] = []
    for _ in range(chance.randint(2, 8)):
        items: list[dict[str, Any]] = []
        for _ in range(chance.randint(0, 5)):
            at = NOW + chance.randint(-5 * SECOND, 5 * SECOND)
            item = login(f"e{chance.randint(1, 12)}", at) | {"source": chance.choice(["a", "b"])}
            if chance.random() < 0.15:
                item |= {"type": "app.logon"}
            if chance.random() < 0.15:
                item = {"subject": "customer/c1", "property": "tier", "value": "vip", "from": format_time(at)}
            items.append(item)
        found.append((chance.choice([CTX, CTX, OTHER]), items, chance.random() < 0.2))
    return found


def take(hub: LiveHub, journal: Journal, sent: Sent) -> Taken:
    ctx, items, backfill = sent
    return journal.take(ctx, journal.read(items, hub.catalog), backfill=backfill)


def together(hub: LiveHub, journal: Journal, sent: Sequence[Sent]) -> list[Taken | Exception]:
    """All of them in one transaction: they come while an empty batch is being committed."""
    found: dict[int, Taken | Exception] = {}

    def work(n: int) -> None:
        try:
            found[n] = take(hub, journal, sent[n] if n >= 0 else (CTX, [], False))
        except Exception as error:
            found[n] = error

    threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(-1, len(sent))]
    with journal.busy():
        for n, thread in enumerate(threads, 1):
            thread.start()
            while journal.pending < n:
                PAUSE.wait(0.001)
    for thread in threads:
        thread.join(20)
    return [found[n] for n in range(len(sent))]


def kept(hub: LiveHub) -> list[Any]:
    found: list[Any] = []
    for ctx in (CTX, OTHER):
        with hub.db.reading() as session:
            found += [row[1:] for row in JournalRepository(session, ctx.tenant).after(0, 1_000)]
        found += sorted((row.reason, row.line, row.raw) for row in hub.live.journal.aside(ctx))
    return found


@pytest.mark.parametrize("seed", range(12))
def test_together_is_as_one_after_another(tmp_path: Path, seed: int) -> None:
    sent = batches(seed)
    (tmp_path / "one").mkdir()
    one, all_ = LiveHub(tmp_path / "one"), LiveHub(tmp_path)
    begun = (CTX, [login("begun", NOW)], False)
    wanted = [take(one, one.live.journal, batch) for batch in (begun, *sent)]
    found = [take(all_, all_.live.journal, begun), *together(all_, all_.live.journal, sent)]
    assert [(t.receipt.accepted, t.receipt.duplicates, t.receipt.late, t.inputs) for t in wanted] == [
        (t.receipt.accepted, t.receipt.duplicates, t.receipt.late, t.inputs) for t in found if isinstance(t, Taken)
    ]
    assert kept(one) == kept(all_)
    for ctx in (CTX, OTHER):
        ends = [hub.live.journal.end(ctx.tenant) for hub in (one, all_)]
        assert (ends[0].opened, ends[0].lag) == (ends[1].opened, ends[1].lag)
        mine = [t for t, (whose, _, _) in zip(found, (begun, *sent), strict=True) if whose is ctx]
        spans = [(t.before_seq, t.last_seq) for t in mine if isinstance(t, Taken)]
        assert all(before == last for (_, last), (before, _) in pairwise(spans))
        assert not spans or spans[-1][1] == all_.live.journal.end(ctx.tenant).seq
    one.close()
    all_.close()


def test_senders_that_come_together_are_one_transaction(tmp_path: Path) -> None:
    hub = LiveHub(tmp_path)
    commits: list[object] = []
    event.listen(hub.db.engine, "commit", lambda connection: commits.append(connection))
    together(hub, hub.live.journal, [(CTX, [login(f"e{n}", NOW)], False) for n in range(8)])
    assert len(commits) == 2
    hub.close()


def test_a_batch_that_cannot_be_written_does_not_take_the_others_with_it(tmp_path: Path) -> None:
    hub = LiveHub(tmp_path)
    poison = login("\ud800", NOW)  # no store can keep half a character
    first, bad, last = together(
        hub, hub.live.journal, [(CTX, [one], False) for one in (login("e1", NOW), poison, login("e2", NOW))]
    )
    assert isinstance(first, Taken) and isinstance(last, Taken) and isinstance(bad, Exception)
    assert first.receipt.accepted == last.receipt.accepted == 1
    hub.close()
