"""The table of PyTorch's words says what is here."""

from tests.support import words
from tests.support.without_torch import needs_torch


@needs_torch
def test_the_table_is_up_to_date() -> None:
    """Where this fails, write it anew: python -m tests.support.words"""
    assert words.PATH.read_text(encoding="utf-8") == words.text()


def test_what_the_table_says_is_here_is_here() -> None:
    text = words.text()
    assert "`scaled_dot_product_attention`" in text
    assert not words.is_here(words.OWNERS["torch"], "conv2d")
