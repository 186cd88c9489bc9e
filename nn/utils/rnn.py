"""Sequences of different lengths in one tensor (`torch.nn.utils.rnn`). minigrad has no recurrent layers."""

from collections.abc import Iterable

from minigrad.api.creation import full
from minigrad.api.pieces import cat, stack
from minigrad.api.shapes import transpose
from minigrad.checks import flag_of, int_of, members_of, number_of, shown
from minigrad.core.tensor import Tensor


def pad_sequence(
    sequences: Tensor | Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Return sequences (length, ...) of different lengths as one tensor (longest, n, ...).

    With `batch_first`, it is (n, longest, ...). Shorter ones are filled with `padding_value`, on the "right" or "left"
    side. Raises a RuntimeError if there are none, or if their other dims differ (`torch.nn.utils.rnn.pad_sequence`).

    >>> import minigrad
    >>> pad_sequence([minigrad.tensor([1, 2, 3]), minigrad.tensor([4])], batch_first=True)
    tensor([[1, 2, 3],
            [4, 0, 0]])
    """
    members = members_of("pad_sequence", "Tensors", Tensor, sequences)
    flag_of("pad_sequence", "batch_first", batch_first)
    number_of("pad_sequence", "padding_value", padding_value)
    if padding_side not in ("right", "left"):
        raise RuntimeError(f"pad_sequence: padding_side must be 'right' or 'left', got {shown(padding_side)}")
    shapes = [member.array.shape for member in members]
    if not members or min(map(len, shapes)) < 1 or len({shape[1:] for shape in shapes}) > 1:
        raise RuntimeError(f"pad_sequence: expected sequences that differ in dim 0 alone, got shapes {shapes}")
    longest = max(shape[0] for shape in shapes)
    padded = []
    for member in members:
        rest = full((longest - len(member), *member.shape[1:]), padding_value, dtype=members[0].dtype)
        padded.append(cat([member, rest] if padding_side == "right" else [rest, member]))
    return stack(padded) if batch_first else transpose(stack(padded), 0, 1).contiguous()


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """Return the sequences that `pad_sequence` has joined, by lengths (`torch.nn.utils.rnn.unpad_sequence`)."""
    flag_of("unpad_sequence", "batch_first", batch_first)
    rows = padded_sequences if batch_first else transpose(padded_sequences, 0, 1)
    return [row[: int_of("unpad_sequence", length)] for row, length in zip(rows, lengths.tolist(), strict=True)]
