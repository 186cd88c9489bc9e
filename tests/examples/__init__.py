"""Tests of the programs of examples, the README, and notebooks."""
