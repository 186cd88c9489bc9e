"""`minigrad.viz` is the package in the folder `viz` beside minigrad."""

from minigrad import beside

beside.load(__name__)
