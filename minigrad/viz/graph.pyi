"""What `minigrad.viz.graph` offers.

Written by `python -m tests.support.stubs`."""

from viz.graph import Box as Box
from viz.graph import Folded as Folded
from viz.graph import Frame as Frame
from viz.graph import Number as Number
from viz.graph import Operation as Operation
from viz.graph import Picture as Picture
from viz.graph import Role as Role
from viz.graph import picture as picture
