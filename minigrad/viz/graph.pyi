"""What `minigrad.viz.graph` offers.

Written by `python -m tests.support.stubs`."""

from viz.graph import Box as Box
from viz.graph import Folded as Folded
from viz.graph import Frame as Frame
from viz.graph import Number as Number
from viz.graph import Operation as Operation
from viz.graph import Picture as Picture
from viz.graph import Role as Role
from viz.graph import name_of as name_of
from viz.graph import operation_of as operation_of
from viz.graph import picture as picture
from viz.graph import title_of as title_of
