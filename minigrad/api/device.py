"""The one device there is."""


class Device:
    """Where tensors are: on the CPU (`torch.device`). RuntimeError for any other device, TypeError for no name."""

    __slots__ = ()

    type = "cpu"
    index = None

    def __init__(self, device: "str | Device" = "cpu") -> None:
        if not isinstance(device, Device | str):
            raise TypeError(f"device: expected a name such as 'cpu', got {type(device).__name__}")
        if isinstance(device, str) and device.partition(":")[0] != "cpu":
            raise RuntimeError(f"device: there is no {device!r} for minigrad, which computes on 'cpu' alone")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device)

    def __hash__(self) -> int:
        return hash(self.type)

    def __str__(self) -> str:
        return self.type

    def __repr__(self) -> str:
        return "device(type='cpu')"


CPU = Device()
