"""Tests of minigrad/core and Tensor: what records, what is kept, what is refused."""
