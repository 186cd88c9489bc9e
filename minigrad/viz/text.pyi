"""What `minigrad.viz.text` offers.

Written by `python -m tests.support.stubs`."""

from viz.text import cells as cells
from viz.text import heat as heat
from viz.text import number as number
from viz.text import summary as summary
