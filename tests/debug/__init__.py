"""Tests of gradcheck, cmp and detect_anomaly."""
