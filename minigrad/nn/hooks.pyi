"""What `minigrad.nn.hooks` offers.

Written by `python -m tests.support.stubs`."""

from nn.hooks import Hook as Hook
from nn.hooks import call_with_hooks as call_with_hooks
from nn.hooks import registered as registered
