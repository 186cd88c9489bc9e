"""Mixed precision on a GPU (`torch.cuda.amp`): computation stays in the dtypes of the tensors."""

from typing import Any

import minigrad.amp as amp
from minigrad.amp import GradScaler as GradScaler


class autocast(amp.autocast):
    """A with-block or decorator that does nothing: there is no GPU (`torch.cuda.amp.autocast`)."""

    def __init__(self, enabled: bool = True, dtype: Any = None, cache_enabled: bool = True) -> None:
        super().__init__("cuda", dtype, enabled, cache_enabled)
