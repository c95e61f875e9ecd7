"""Sizes of memory at the borders."""

import pytest

from core.errors import InvalidInput
from core.sizes import format_size, parse_size


@pytest.mark.parametrize(
    ("text", "size"), [("2GiB", 2 << 30), ("512 MiB", 512 << 20), ("1.5kB", 1_500), ("7", 7), (9, 9), ("3B", 3)]
)
def test_a_size_is_read_with_its_unit(text: str | int, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "much", "-1GiB", "0", "4GiBs", None, True])
def test_what_is_no_size_is_refused_with_an_example(text: object) -> None:
    with pytest.raises(InvalidInput) as found:
        parse_size(text)
    assert "4GiB" in found.value.say("zh")


@pytest.mark.parametrize(
    ("size", "text"), [(12, "12 B"), (1536, "1.5 KiB"), (4 << 30, "4 GiB"), (3 << 50, "3.07e+03 TiB")]
)
def test_a_size_is_said_in_the_largest_unit_that_fits(size: int, text: str) -> None:
    assert format_size(size) == text
