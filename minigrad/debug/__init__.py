"""Tools that find wrong gradients, and say where and why they are wrong.

`gradcheck.py` compares gradients with measured slopes, `cmp.py` compares a gradient worked out by hand with the
engine's, `anomaly.py` finds the first NaN or infinity, and `lines.py` finds the user's line for messages.
"""
