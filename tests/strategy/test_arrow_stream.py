"""An Arrow stream is read if it is whole and unfolds to no more than may be sent; otherwise it is refused."""

from __future__ import annotations

import random
from io import BytesIO
from typing import Any

import polars as pl
import pytest

import strategy.arrow_stream as arrow_stream
from core.errors import InvalidInput, TooLarge
from strategy.arrow_stream import read_stream

FRAME = pl.DataFrame(
    {
        "id": ["e1", "e2", None],
        "kind": pl.Series(["a", "b", "a"], dtype=pl.Categorical),
        "data": [{"amount": 1.5, "tags": ["x", "y"]}, {"amount": None, "tags": []}, None],
    }
)


def stream(frame: pl.DataFrame, **options: Any) -> bytes:
    out = BytesIO()
    frame.write_ipc_stream(out, **options)
    return out.getvalue()


def test_a_stream_has_the_rows_that_were_sent() -> None:
    assert read_stream(stream(FRAME), 3).equals(FRAME)


def test_a_stream_of_no_rows_is_one() -> None:
    assert read_stream(stream(FRAME.clear()), 3).height == 0


def test_a_compressed_stream_is_refused_before_it_is_unfolded() -> None:
    with pytest.raises(InvalidInput, match="compressed"):
        read_stream(stream(pl.DataFrame({"id": ["x" * 1_000] * 1_000}), compression="zstd"), 1_000)


def test_a_file_in_the_file_format_is_told_what_to_send() -> None:
    out = BytesIO()
    FRAME.write_ipc(out)
    with pytest.raises(InvalidInput) as caught:
        read_stream(out.getvalue(), 10)
    assert "streaming format" in str(caught.value.hint)


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"id": ["a"] * 4}),
        pl.DataFrame({"none": pl.Series([None] * 4)}),
        pl.DataFrame({"one": pl.Series([[None] * 50], dtype=pl.List(pl.Null))}),
        pl.DataFrame({"one": pl.Series([[0] * 50], dtype=pl.Array(pl.Int8, 50))}),
        pl.DataFrame({"one": [{"deep": ["y" * 30, "z" * 30]}]}),
        pl.DataFrame({f"c{n}": [1] for n in range(12)}),
    ],
)
def test_whatever_unfolds_to_too_much_is_refused(frame: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_stream(stream(frame), 4).shape == frame.shape
    monkeypatch.setattr(arrow_stream, "MOST_CELLS", 40)
    monkeypatch.setattr(arrow_stream, "MOST_TEXT", 40)
    monkeypatch.setattr(arrow_stream, "_MOST_FIELDS", 10)
    with pytest.raises(TooLarge):
        read_stream(stream(frame), 3)


def test_lists_in_lists_without_end_are_refused() -> None:
    with pytest.raises(TooLarge, match="levels deep"):
        read_stream(stream(pl.DataFrame({"one": [[[[[[[[[[1]]]]]]]]]]})), 4)


def test_many_values_that_are_one_and_the_same_text_are_each_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pl.DataFrame({"id": pl.repeat("long " * 20, 1_000, eager=True).cast(pl.Categorical)})
    assert len(stream(frame)) < 10_000
    monkeypatch.setattr(arrow_stream, "MOST_TEXT", 99_999)
    with pytest.raises(TooLarge):
        read_stream(stream(frame), 1_000)


def test_damage_of_any_kind_is_bad_input_or_another_frame() -> None:
    chance, whole = random.Random(3), stream(FRAME)
    refused = 0
    for _ in range(1_500):
        raw = bytearray(whole)
        for _ in range(chance.randint(0, 4)):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        if chance.random() < 0.3:
            del raw[chance.randrange(len(raw)) :]
        try:
            read_stream(bytes(raw), 1_000)
        except (InvalidInput, TooLarge):
            refused += 1
    assert refused > 500
