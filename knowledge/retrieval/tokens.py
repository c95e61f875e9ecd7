"""Counting a language model's tokens, offline: the encodings come with llama-index-core, nothing is downloaded."""

from __future__ import annotations

import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiktoken import Encoding


def use_bundled_encodings() -> None:
    """Point tiktoken at the bundled `o200k_base` and `cl100k_base`, unless the environment names a cache already.
    Call it before any library that counts tokens by itself (langchain-openai does)."""
    spec = find_spec("llama_index.core")  # finds the folder without the second it takes to import it
    if spec is not None and spec.origin is not None:
        os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(Path(spec.origin).parent / "_static" / "tiktoken_cache"))


@cache
def _encoding(name: str) -> Encoding:
    use_bundled_encodings()
    import tiktoken

    return tiktoken.get_encoding(name)


def count_tokens(text: str, model_encoding: str = "o200k_base") -> int:
    """Tokens of `text`; one that spells a special token is counted as plain text."""
    return len(_encoding(model_encoding).encode(text, disallowed_special=()))
