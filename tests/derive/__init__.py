"""Tests of derive and its symbols."""
