"""Checks that say where and why: `gradcheck.py`, `cmp.py` (the lecture's), and `anomaly.py` (`detect_anomaly`)."""
