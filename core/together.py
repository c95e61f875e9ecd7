"""Group commit: calls that come while another is at work wait for it, and are then done together, by one of them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Given = TypeVar("Given")


@dataclass(slots=True)
class _Turn(Generic[Asked, Given]):
    """One call. `called` is set when it is done, or when it is its turn to lead."""

    asked: Asked
    weight: int
    called: threading.Event = field(default_factory=threading.Event)
    given: Given | None = None
    error: Exception | None = None
    done: bool = False


class Together(Generic[Asked, Given]):
    """Never waits for company: a call that finds nobody at work is done at once, by itself.

    Args:
        work: does what was asked, in order, all or nothing, and gives an answer to each.
        most: weight of the calls done at a time.

    Attributes:
        pending: calls that are not done yet.
    """

    def __init__(self, work: Callable[[Sequence[Asked]], Sequence[Given]], most: int) -> None:
        self._work = work
        self._most = most
        self.pending = 0
        self._lock = threading.Lock()
        self._led = False
        self._waiting: deque[_Turn[Asked, Given]] = deque()

    def __call__(self, asked: Asked, weight: int = 1) -> Given:
        turn: _Turn[Asked, Given] = _Turn(asked, weight)
        with self._lock:
            self._waiting.append(turn)
            self.pending += 1
            leads, self._led = not self._led, True
        if not leads:
            # Each waits for itself alone: those whose turn is over must not queue up behind the next round.
            turn.called.wait()
        if not turn.done:
            turns = self._next()
            try:
                self._do(turns)
            finally:
                self._hand_over(turns)
        if turn.error is not None:
            raise turn.error
        assert turn.given is not None
        return turn.given

    def _next(self) -> list[_Turn[Asked, Given]]:
        """Those who have waited longest, as many as may be done at a time, but one at least: the one who leads."""
        with self._lock:
            turns = [self._waiting.popleft()]
            weight = turns[0].weight
            while self._waiting and weight + self._waiting[0].weight <= self._most:
                turns.append(self._waiting.popleft())
                weight += turns[-1].weight
        return turns

    def _hand_over(self, turns: Sequence[_Turn[Asked, Given]]) -> None:
        for turn in turns:
            if not turn.done:  # whoever led was interrupted: nobody shall wait for ever
                turn.error, turn.done = RuntimeError("broken off"), True
                turn.called.set()
        with self._lock:
            self.pending -= len(turns)
            if self._waiting:
                self._waiting[0].called.set()
            else:
                self._led = False

    def _do(self, turns: Sequence[_Turn[Asked, Given]]) -> None:
        try:
            given = self._work([turn.asked for turn in turns])
        except Exception as error:
            if len(turns) > 1:  # one of them is at fault, perhaps: the others shall not suffer for it
                for turn in turns:
                    self._do([turn])
                return
            turns[0].error, turns[0].done = error, True
        else:
            for turn, answer in zip(turns, given, strict=True):
                turn.given, turn.done = answer, True
        for turn in turns:
            turn.called.set()
