"""The benchmark: minigrad beside numpy by hand, PyTorch and others, always as ratios; see README.md."""
