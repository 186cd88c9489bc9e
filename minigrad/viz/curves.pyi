"""What `minigrad.viz.curves` offers.

Written by `python -m tests.support.stubs`."""

from viz.curves import activations as activations
from viz.curves import bigrams as bigrams
from viz.curves import embedding as embedding
from viz.curves import gradients as gradients
from viz.curves import loss_curve as loss_curve
from viz.curves import update_ratios as update_ratios
from viz.curves import update_to_data as update_to_data
from viz.curves import weight_gradients as weight_gradients
