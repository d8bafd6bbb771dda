"""A GPU with a fault, for the measuring process of a test: really the CPU, under CUDA's name.

Python imports this by itself where its folder is on PYTHONPATH. FAKE_GPU says what is wrong:
``old-driver``, ``busy``, ``full`` (by other processes), ``full-at:N`` and ``lost-at:N`` (from the
N-th network that is built on it).
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
import time
import warnings
from types import SimpleNamespace
from typing import Any

FAULT, _, AT = os.environ.get("FAKE_GPU", "").partition(":")
OLD_DRIVER = (
    "CUDA initialization: The NVIDIA driver on your system is too old (found version 11040). "
    "Please update your GPU driver."
)
MESSAGES = {
    "busy": "CUDA error: all CUDA-capable devices are busy or unavailable\nCompile with ...",
    "full": "CUDA out of memory. Tried to allocate 2.00 MiB. GPU 0 has a total capacity of 78 GiB",
    "lost-at": "CUDA error: unspecified launch failure\nCUDA kernel errors might be ...",
}


def pretend() -> None:
    """Put the GPU and its fault into torch."""
    import torch

    from reconcile.measure import building, fields

    # Every reading has a process of its own; how many networks were built is common to all.
    built, state = mmap.mmap(-1, 4), SimpleNamespace(lost=False)
    real_ones, real_build, real_cover = torch.ones, building.build_network, fields.cover

    def available() -> bool:
        if FAULT == "old-driver":
            warnings.warn(OLD_DRIVER, stacklevel=1)
        return FAULT != "old-driver"

    def ones(*sizes: Any, device: Any = None, **options: Any) -> torch.Tensor:
        if str(device) == "cuda" and (FAULT in ("busy", "full") or state.lost):
            raise RuntimeError(MESSAGES[FAULT])
        return real_ones(*sizes, device="cpu" if str(device) == "cuda" else device, **options)

    def build(
        network: Any, arguments: Any, device: torch.device, seed: int, given: Any = ()
    ) -> Any:
        if device.type != "cuda":
            return real_build(network, arguments, device, seed, given)
        number = struct.unpack("i", built[:])[0] + 1
        built[:] = struct.pack("i", number)
        if FAULT == "full-at" and number == int(AT):
            raise torch.OutOfMemoryError(MESSAGES["full"])
        if FAULT == "lost-at" and number >= int(AT):
            state.lost = True
            raise RuntimeError(MESSAGES["lost-at"])
        return real_build(network, arguments, torch.device("cpu"), seed, given)

    class Event:
        def __init__(self, **options: Any) -> None:
            self.at = 0.0

        def record(self) -> None:
            self.at = time.perf_counter()

        def elapsed_time(self, end: Event) -> float:
            return 1000 * (end.at - self.at)

    def emptied() -> None:
        if state.lost:
            raise RuntimeError(MESSAGES["lost-at"])

    torch.backends.cuda.is_built = lambda: True
    torch.ones = ones
    building.build_network = build
    fields.cover = lambda layer, shape, device: real_cover(layer, shape, torch.device("cpu"))
    properties = SimpleNamespace(name="Fake GPU", major=9, minor=0, total_memory=2**36)
    torch.cuda.is_available = available
    torch.cuda.Event = Event
    torch.cuda.empty_cache = emptied
    torch.cuda.synchronize = lambda device=None: None
    torch.cuda.mem_get_info = lambda device=None: (2**36, 2**36)
    torch.cuda.reset_peak_memory_stats = lambda device=None: None
    torch.cuda.max_memory_allocated = lambda device=None: 4096
    torch.cuda.get_device_properties = lambda device=None: properties


if FAULT and "reconcile.measure.zygote" in sys.orig_argv:
    pretend()
