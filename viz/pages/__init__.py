"""pages: one HTML page that steps through the forward and the backward pass of a graph.

`passes.py` runs the backward pass in the engine and keeps what happens, `lineage.py` finds which cells came from which,
`mathml.py` writes formulas, `steps.py` tells it step by step, `boxes.py` places the boxes, and `model.py` puts all of
it together, as plain data. `document.py` writes the page; `page.html`, `page.css` and `page.js` show the data.
"""

from .document import Page, page

__all__ = ["Page", "page"]
