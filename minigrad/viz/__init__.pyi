"""What `minigrad.viz` offers.

Written by `python -m tests.support.stubs`."""

from viz import curves as curves
from viz import dot as dot
from viz import draw as draw
from viz import draw_dot as draw_dot
from viz import graph as graph
from viz import layout as layout
from viz import pages as pages
from viz import render as render
from viz import text as text
from viz import walk as walk
from viz.curves import activations as activations
from viz.curves import bigrams as bigrams
from viz.curves import embedding as embedding
from viz.curves import gradients as gradients
from viz.curves import loss_curve as loss_curve
from viz.curves import update_ratios as update_ratios
from viz.curves import update_to_data as update_to_data
from viz.curves import weight_gradients as weight_gradients
from viz.layout import Drawing as Drawing
from viz.pages.document import Page as Page
from viz.pages.document import page as page
