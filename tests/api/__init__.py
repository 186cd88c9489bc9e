"""Tests of PyTorch's words over the core."""
