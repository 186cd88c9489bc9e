"""`minigrad.nn` is the package in the folder `nn` beside minigrad."""

from minigrad import beside

beside.load(__name__)
