"""Losses and histograms written for TensorBoard (`torch.utils.tensorboard`), by the package tensorboardX."""

from typing import Any

from minigrad.core.tensor import Tensor
from minigrad.extras import remedy

try:
    import tensorboardX
except ImportError as error:
    raise ImportError(
        f"minigrad.utils.tensorboard: SummaryWriter needs the package tensorboardX; {remedy('tensorboard')}"
    ) from error


class SummaryWriter(tensorboardX.SummaryWriter):
    """Writes what TensorBoard shows into a folder (`torch.utils.tensorboard.SummaryWriter`).

    It is tensorboardX's writer, whose methods take Tensors too.
    """

    def __init__(
        self,
        log_dir: str | None = None,
        comment: str = "",
        purge_step: int | None = None,
        max_queue: int = 10,
        flush_secs: int = 120,
        filename_suffix: str = "",
    ) -> None:
        super().__init__(log_dir, comment, purge_step, max_queue, flush_secs, filename_suffix)

    def add_scalar(self, *args: Any, **kwargs: Any) -> None:
        """Write a number under a tag, at a step."""
        super().add_scalar(*_arrays(args), **_arrays(kwargs))

    def add_scalars(self, *args: Any, **kwargs: Any) -> None:
        """Write several numbers under a tag, at a step, from a dict."""
        super().add_scalars(*_arrays(args), **_arrays(kwargs))

    def add_histogram(self, *args: Any, **kwargs: Any) -> None:
        """Write a histogram of the elements of a Tensor."""
        super().add_histogram(*_arrays(args), **_arrays(kwargs))

    def add_image(self, *args: Any, **kwargs: Any) -> None:
        """Write a picture, of shape (3, H, W) unless `dataformats` says otherwise."""
        super().add_image(*_arrays(args), **_arrays(kwargs))

    def add_images(self, *args: Any, **kwargs: Any) -> None:
        """Write pictures, of shape (N, 3, H, W) unless `dataformats` says otherwise."""
        super().add_images(*_arrays(args), **_arrays(kwargs))

    def add_embedding(self, *args: Any, **kwargs: Any) -> None:
        """Write vectors for the projector, of shape (N, D)."""
        super().add_embedding(*_arrays(args), **_arrays(kwargs))

    def add_hparams(self, *args: Any, **kwargs: Any) -> None:
        """Write settings and what they led to, two dicts."""
        super().add_hparams(*_arrays(args), **_arrays(kwargs))


def _arrays(x: Any) -> Any:
    """The Tensors in tuples, lists and dicts as arrays. One without dims is a number."""
    if isinstance(x, Tensor):
        return x.item() if x.dim() == 0 else x.detach().numpy()
    if isinstance(x, dict):
        return {key: _arrays(value) for key, value in x.items()}
    return type(x)(map(_arrays, x)) if type(x) in (tuple, list) else x
