"""Tests of backward() and grad()."""
