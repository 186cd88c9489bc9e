"""What `minigrad.viz.pages` offers.

Written by `python -m tests.support.stubs`."""

from viz.pages.document import Page as Page
from viz.pages.document import page as page
