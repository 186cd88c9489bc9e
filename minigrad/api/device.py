"""`Device`, PyTorch's word for where a tensor is.

minigrad computes on the CPU only, so this class exists to accept "cpu" and refuse other names.
"""


class Device:
    """The place of a tensor: always the CPU (`torch.device`).

    Raises a RuntimeError for another device, and a TypeError for anything but a name or a Device.

    >>> Device("cpu")
    device(type='cpu')
    """

    __slots__ = ()

    type = "cpu"
    index = None

    def __init__(self, device: "str | Device" = "cpu") -> None:
        if not isinstance(device, Device | str):
            raise TypeError(f"device: expected a name such as 'cpu', got {type(device).__name__}")
        if isinstance(device, str) and device.partition(":")[0] != "cpu":
            raise RuntimeError(f"device: there is no {device!r}; minigrad computes on 'cpu' alone")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device)

    def __hash__(self) -> int:
        return hash(self.type)

    def __str__(self) -> str:
        return self.type

    def __repr__(self) -> str:
        return "device(type='cpu')"


CPU = Device()
