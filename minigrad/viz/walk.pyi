"""What `minigrad.viz.walk` offers.

Written by `python -m tests.support.stubs`."""

from viz.walk import Item as Item
from viz.walk import Part as Part
from viz.walk import constants as constants
from viz.walk import folded_repeats as folded_repeats
from viz.walk import frames_of as frames_of
from viz.walk import gradients_behind as gradients_behind
from viz.walk import indices as indices
from viz.walk import items_of as items_of
from viz.walk import links_of as links_of
from viz.walk import nearest as nearest
from viz.walk import operands as operands
from viz.walk import parts_of as parts_of
from viz.walk import places_of as places_of
from viz.walk import repeats as repeats
from viz.walk import states_of as states_of
from viz.walk import things_behind as things_behind
