"""Tests of `minigrad.save` and `minigrad.load`, and of files that appear whole or not at all."""
