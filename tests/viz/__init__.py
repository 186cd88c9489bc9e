"""Tests of the package viz."""
