"""What `viz.install` offers.

Written by `python -m tests.support.stubs`."""
