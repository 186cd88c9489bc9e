"""Tests of the package `minigrad.compiled`."""
