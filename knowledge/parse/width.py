"""Full-width letters, digits and signs as plain ones, character for character, so that offsets hold."""

from __future__ import annotations

_NARROW = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)} | {
    0xFFE5: "¥",
    0x3000: " ",
    0x2019: "'",
    0xA0: " ",
}
# The Chinese comma stays: in `第9天了，128元` it parts two things, in `1,280` the plain one joins them.
del _NARROW[0xFF0C]
_LOWER = {code: chr(code + 32) for code in range(ord("A"), ord("Z") + 1)}


def narrow(text: str) -> str:
    """The text with plain signs in place of full-width ones; same length."""
    return text.translate(_NARROW)


def fold(text: str) -> str:
    """`narrow`, and A-Z in lower case; same length (`str.lower` may lengthen some letters)."""
    return text.translate(_NARROW).translate(_LOWER)
