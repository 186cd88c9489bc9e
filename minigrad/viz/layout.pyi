"""What `minigrad.viz.layout` offers.

Written by `python -m tests.support.stubs`."""

from viz.layout import Drawing as Drawing
from viz.layout import filled as filled
from viz.layout import format_of as format_of
from viz.layout import in_frame as in_frame
from viz.layout import lay_out as lay_out
from viz.layout import text_of as text_of
from viz.layout import view as view
from viz.layout import write as write
