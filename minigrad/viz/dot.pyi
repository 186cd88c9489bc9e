"""What `minigrad.viz.dot` offers.

Written by `python -m tests.support.stubs`."""

from viz.dot import caption as caption
from viz.dot import drawing as drawing
from viz.dot import lecture as lecture
from viz.dot import plain as plain
