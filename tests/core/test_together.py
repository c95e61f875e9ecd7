"""Calls that come while another is at work are done together after it; each gets its own answer, or its own error."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest

from core.together import Together

PAUSE = threading.Event()


def in_threads(work: Callable[[int], object], asked: Sequence[int]) -> list[threading.Thread]:
    threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in asked]
    for thread in threads:
        thread.start()
    return threads


class Doubler:
    """Doubles what it is asked; the first round waits until it may go on."""

    def __init__(self, most: int = 100) -> None:
        self.rounds: list[list[int]] = []
        self.go = threading.Event()
        self.begun = threading.Event()
        self.together = Together(self._work, most)
        self.answers: dict[int, object] = {}

    def _work(self, asked: Sequence[int]) -> list[int]:
        self.rounds.append([*asked])
        self.begun.set()
        self.go.wait(20)
        if 13 in asked:
            raise ValueError("13 brings bad luck")
        return [2 * n for n in asked]

    def ask(self, n: int) -> None:
        try:
            self.answers[n] = self.together(n)
        except (ValueError, RuntimeError) as error:
            self.answers[n] = str(error)

    def play(self, later: Sequence[int]) -> None:
        threads = in_threads(self.ask, [0])
        self.begun.wait(20)
        for n, one in enumerate(later, 2):
            threads += in_threads(self.ask, [one])
            while self.together.pending < n:
                PAUSE.wait(0.001)
        self.go.set()
        for thread in threads:
            thread.join(20)


def test_those_who_come_during_a_round_are_the_next_round() -> None:
    doubler = Doubler()
    doubler.play([1, 2, 3])
    assert doubler.rounds == [[0], [1, 2, 3]]
    assert doubler.answers == {0: 0, 1: 2, 2: 4, 3: 6}


def test_a_round_takes_no_more_than_it_may() -> None:
    doubler = Doubler(most=2)
    doubler.play([1, 2, 3])
    assert doubler.rounds == [[0], [1, 2], [3]]


def test_an_error_is_that_of_the_one_who_causes_it() -> None:
    doubler = Doubler()
    doubler.play([1, 13, 3])
    assert doubler.answers == {0: 0, 1: 2, 13: "13 brings bad luck", 3: 6}


def test_when_the_one_at_work_is_interrupted_the_others_hear_of_it_and_work_goes_on() -> None:
    doubler = Doubler()

    def interrupted(asked: Sequence[int]) -> list[int]:
        if asked == [1, 2]:
            raise KeyboardInterrupt
        return doubler._work(asked)

    doubler.together = Together(interrupted, 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, "excepthook", lambda caught: None)
        doubler.play([1, 2, 3])
    assert doubler.answers == {0: 0, 2: "broken off", 3: 6}


def test_one_alone_waits_for_nobody() -> None:
    doubler = Doubler()
    doubler.go.set()
    assert doubler.together(7) == 14
    with pytest.raises(ValueError, match="bad luck"):
        doubler.together(13)
