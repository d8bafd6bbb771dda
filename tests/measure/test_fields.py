"""What layers see of the input: by boxes, by the recurrence of chains, and by probing."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from itertools import product
from typing import Any

import pytest
import torch
from cases import By
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations, prune

from reconcile.layers import Conv2d
from reconcile.measure.boxes import Tracker
from reconcile.measure.counting import Row, cells_of, count_layers
from reconcile.measure.fields import Coverage, Field, add_fields, carry_fields, cover, fields_of

Chain = list[tuple[int, int, int]]
"""Kernel, stride and padding of each layer."""


def recurrence(chain: Chain) -> Field:
    """The field of a chain of windows (Araujo, Norris and Sim, Distill 2019, eq. 2 and 7)."""
    size, stride, padding = 1, 1, 0
    for kernel, step, pad in chain:
        size += (kernel - 1) * stride
        padding += pad * stride
        stride *= step
    return Field(size, stride, padding)


def field(make: Callable[[], nn.Module], *shape: int, dimension: int = -1) -> Field | None:
    """What the outputs of a network see along a dimension of its input."""
    with torch.device("meta"):
        model = make().eval()
        return fields_of(model, (torch.zeros(1, *shape),), [dimension % (len(shape) + 1)])[model][0]


def windows(chain: Chain) -> nn.Module:
    """The chain as convolutions in one dimension."""
    return nn.Sequential(*(nn.Conv1d(1, 1, k, s, p) for k, s, p in chain))


PATCHES = {
    70: [(4, 2, 1)] * 3 + [(4, 1, 1)] * 2,
    286: [(4, 2, 1)] * 5 + [(4, 1, 1)] * 2,
    574: [(4, 2, 1)] * 6 + [(4, 1, 1)] * 2,
}
VGG = [step for n in (2, 2, 3, 3, 3) for step in ((3, 1, 1),) * n + ((2, 2, 0),)]
CHAINS = {
    "discriminators of patches, 70": (PATCHES[70], 256, (70, 8, 23)),
    "discriminators of patches, 286": (PATCHES[286], 512, (286, 32, 95)),
    "discriminators of patches, 574": (PATCHES[574], 640, (574, 64, 191)),
    "VGG-16 to its last pooling": (VGG, 224, (212, 32, 90)),
    "VGG-16 with its head as a convolution": ([*VGG, (7, 1, 0)], 448, (404, 32, 90)),
}


@pytest.mark.parametrize("name", CHAINS)
def test_chains(name: str) -> None:
    """Boxes, the recurrence and what papers state agree on chains of windows."""
    chain, size, stated = CHAINS[name]
    assert field(lambda: windows(chain), 1, size) == recurrence(chain) == Field(*stated)


class Residual(nn.Module):
    """The bottleneck blocks of ResNet-50 with one channel, its stride in the middle window."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3, stride, 1)
        self.norm = nn.BatchNorm2d(1)
        self.short = nn.Conv2d(1, 1, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Add the shortcut."""
        return functional.relu(self.norm(self.conv(x)) + self.short(x))


def resnet50() -> nn.Module:
    """Windows of ResNet-50 up to its last map."""
    blocks = [Residual(2 if i == 0 and n != 3 else 1) for n in (3, 4, 6, 3) for i in range(n)]
    blocks[7 + 6] = Residual(2)
    return nn.Sequential(nn.Conv2d(1, 1, 7, 2, 3), nn.MaxPool2d(3, 2, 1), *blocks)


def test_residual_blocks_are_not_cut_by_the_image() -> None:
    """The last map of ResNet-50 sees 427 positions every 32, also of an image of 224."""
    stated = Field(427, 32, 213)
    assert field(resnet50, 1, 224, 224) == field(resnet50, 1, 640, 640) == stated


def test_dilated_stacks() -> None:
    """Three stacks of ten dilated windows of two see 3,070 samples, with the first one 3,071."""

    class Causal(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv1d(1, 2, 2)
            self.rest = nn.ModuleList(nn.Conv1d(2, 4, 2, dilation=2**i) for i in range(10))

        def forward(self, x: Tensor) -> Tensor:
            x = self.first(functional.pad(x, (1, 0)))
            for _ in range(3):
                for conv in self.rest:
                    a, b = conv(functional.pad(x, (conv.dilation[0], 0))).chunk(2, dim=1)
                    x = x + torch.tanh(a) * torch.sigmoid(b)
            return x

    assert field(Causal, 1, 4000) == Field(3 * 1023 + 1 + 1, 1, 3070)


def _squeeze(m: Any, x: Tensor) -> Tensor:
    return x * torch.sigmoid(m.c(x.mean((2, 3), keepdim=True)))


def _attend(m: Any, x: Tensor) -> Tensor:
    tokens = m.c(x).flatten(2).transpose(1, 2)
    return functional.scaled_dot_product_attention(tokens, tokens, tokens)


EVERYTHING: dict[str, Callable[[], nn.Module]] = {
    "mean over the map": lambda: nn.Sequential(nn.Conv2d(1, 1, 3), nn.AdaptiveAvgPool2d(1)),
    "flattened and multiplied": lambda: nn.Sequential(
        nn.Conv2d(1, 1, 3), nn.Flatten(), nn.Linear(36, 2)
    ),
    "gate of a whole channel": lambda: By(_squeeze, c=nn.Conv2d(1, 1, 1)),
    "attention": lambda: By(_attend, c=nn.Conv2d(1, 8, 2, 2)),
}


@pytest.mark.parametrize("name", EVERYTHING)
def test_what_sees_everything(name: str) -> None:
    """What looks at a whole axis at once sees all of the input, whatever its size."""
    assert field(EVERYTHING[name], 1, 8, 8) == Field(None)


def test_attention_in_windows() -> None:
    """Attention within windows of tokens sees a window."""

    def run(m: Any, x: Tensor) -> Tensor:
        cut = x.unflatten(1, (4, 3))
        return functional.scaled_dot_product_attention(cut, cut, cut).flatten(1, 2)

    assert field(lambda: By(run), 12, 8, dimension=1) == Field(3, 3, 0)


SMALL: dict[str, Callable[[], nn.Module]] = {
    "convolution": lambda: nn.Conv1d(1, 2, 3, stride=2, padding=1),
    "dilated": lambda: nn.Conv1d(1, 1, 3, stride=2, dilation=3),
    "grouped": lambda: nn.Sequential(nn.Conv1d(1, 4, 1), nn.Conv1d(4, 4, 3, groups=2)),
    "transposed": lambda: nn.ConvTranspose1d(1, 1, 3, stride=2, padding=1),
    "transposed after": lambda: nn.Sequential(
        nn.Conv1d(1, 1, 3, 2, 1), nn.ConvTranspose1d(1, 1, 2, 2)
    ),
    "maximum": lambda: nn.MaxPool1d(3, 2, 1),
    "average": lambda: nn.AvgPool1d(4, 2, ceil_mode=True),
    "adaptive": lambda: nn.AdaptiveAvgPool1d(5),
    "repeated": lambda: nn.Upsample(scale_factor=2),
    "padded": lambda: nn.Sequential(nn.ConstantPad1d((2, 3), 0.0), nn.Conv1d(1, 1, 4)),
    "reflected": lambda: nn.Sequential(nn.ReplicationPad1d(2), nn.Conv1d(1, 1, 3)),
    "cut": lambda: By(lambda m, x: m.c(x[..., 3:]), c=nn.Conv1d(1, 1, 3)),
    "side by side": lambda: By(lambda m, x: torch.cat([m.a(x), m.b(x)], 1),
                               a=nn.Conv1d(1, 1, 1), b=nn.Conv1d(1, 1, 3, padding=1)),
    "branches added": lambda: By(lambda m, x: m.a(x) + m.b(x),
                                 a=nn.Conv1d(1, 1, 1), b=nn.Conv1d(1, 1, 5, padding=2)),
    "turned round": lambda: By(lambda m, x: m.c(x.flip(2)), c=nn.Conv1d(1, 1, 3)),
    "in blocks": lambda: By(lambda m, x: m.c(x.view(1, 1, 6, 2).transpose(2, 3).flatten(1, 2)),
                            c=nn.Conv1d(2, 1, 3)),
    "table of products": lambda: By(lambda m, x: torch.bmm(x.transpose(1, 2), x).softmax(-1)),
    "so far": lambda: By(lambda m, x: x.cumsum(2)),
    "picked channels": lambda: By(lambda m, x: m.c(x)[:, [2, 0]], c=nn.Conv1d(1, 3, 3)),
}  # fmt: skip
SIZE = 12


def probed(model: nn.Module) -> list[tuple[int, int] | None]:
    """First and last input position that makes each output no number; None for none."""
    seen = []
    for place in range(SIZE):
        x = torch.rand(1, 1, SIZE)
        x[..., place] = math.nan
        with torch.no_grad():
            seen.append(model(x).isnan().flatten())
    columns = torch.stack(seen).T.tolist()
    return [_ends([i for i, nan in enumerate(column) if nan]) for column in columns]


def _ends(places: Iterable[int]) -> tuple[int, int] | None:
    found = [*places]
    return (found[0], found[-1]) if found else None


def boxed(make: Callable[[], nn.Module]) -> list[tuple[int, int] | None]:
    """The same by boxes, cut off by the edges of the input."""
    with torch.device("meta"):
        model = make().eval()
        x = torch.zeros(1, 1, SIZE)
        tracker = Tracker()
        tracker.start(x, [2])
        with torch.no_grad(), tracker:
            output = model(x)
    planes = tracker.of(output)
    assert planes is not None
    low, high = (
        side.expand(output.shape).flatten().clamp(max=1e6).tolist()
        for side in (planes[0].low, planes[0].high)
    )
    ends = ((max(int(-a), 0), min(int(b), SIZE - 1)) for a, b in zip(low, high, strict=True))
    return [(a, b) if a <= b else None for a, b in ends]


@pytest.mark.parametrize("name", SMALL)
def test_against_probing(name: str) -> None:
    """Every output's box is what an input that is no number reaches."""
    torch.manual_seed(0)
    assert boxed(SMALL[name]) == probed(SMALL[name]().eval())


def test_interpolation() -> None:
    """Inside the map an interpolated position sees its two neighbours; at the edge one repeats."""
    found = boxed(lambda: nn.Upsample(scale_factor=2, mode="linear"))
    assert found[2:-2] == probed(nn.Upsample(scale_factor=2, mode="linear"))[2:-2]


@pytest.mark.parametrize(
    "run", [lambda m, x: torch.fft.rfft(x).abs(), lambda m, x: x[..., x[0, 0].long()]]
)
def test_what_is_not_known_is_blank(run: Callable[..., Tensor]) -> None:
    """Behind an operator of which nothing is known, no field is told."""
    assert field(lambda: By(run), 1, 8) is None


def test_rows() -> None:
    """Rows have a field for each axis and one for both where they agree; the run on values too."""

    def make() -> nn.Module:
        return nn.Sequential(Conv2d(1, 2, 3, rule="ceil", stride=2), nn.Conv2d(2, 2, (1, 3)))

    with torch.device("meta"):
        model, inputs = make(), (torch.zeros(1, 1, 9, 9),)
        sketch, _ = count_layers(model, inputs)
        add_fields(model, inputs, sketch)
    rows, _ = count_layers(make(), (torch.zeros(1, 1, 9, 9),))
    cells = [cells_of(row) for row in rows]
    carry_fields([cells_of(row) for row in sketch], cells)
    first, second = cells[1:]
    assert (first["receptive_field"], first["effective_stride_width"]) == (3, 2)
    assert (second["receptive_field_height"], second["receptive_field_width"]) == (3, 7)
    assert "receptive_field" not in second and second["effective_padding"] == 0


# The first convolution.


CPU = torch.device("cpu")


def seen_by_hand(side: int, kernel: int, stride: int, before: int, windows: int) -> set[int]:
    """The pixels of a row that some window holds."""
    return {
        pixel
        for window in range(windows)
        for pixel in range(window * stride - before, window * stride - before + kernel)
        if 0 <= pixel < side
    }


@settings(max_examples=50)
@given(
    side=st.integers(1, 20),
    kernel=st.integers(1, 7),
    stride=st.integers(1, 9),
    before=st.integers(0, 3),
    after=st.integers(0, 3),
    rule=st.sampled_from(["floor", "ceil"]),
)
def test_against_counting(
    side: int, kernel: int, stride: int, before: int, after: int, rule: str
) -> None:
    """The gradient reaches exactly the pixels that lie in some window."""
    assume(side + before + after >= kernel or rule == "ceil")
    layer = Conv2d(2, 3, kernel, stride=stride, padding=(before, after), rule=rule)  # type: ignore[arg-type]
    found = cover(layer, (1, 2, side, side), CPU)
    row = seen_by_hand(side, kernel, stride, before, found.windows_in_row)
    assert found.seen == len(row) ** 2
    assert (found.height, found.width) == (side, side)
    for window in found.windows:
        inside = seen_by_hand(side, kernel, stride, before - window.index * stride, 1)
        if inside and len(row) > 0 and window.last >= 0:
            assert (window.first, window.last) == (min(inside), max(inside))
            assert window.zeros == kernel - len(inside)


@pytest.mark.parametrize(
    ("side", "rule", "seen", "windows"),
    [(224, "floor", 49_729, 54), (224, "ceil", 50_176, 55), (227, "floor", 51_529, 55)],
)
def test_known_coverage(side: int, rule: str, seen: int, windows: int) -> None:
    """Windows of 11 every 4 leave out the last row and column of 224 when rounded down."""
    found = cover(Conv2d(3, 4, 11, stride=4, rule=rule), (1, 3, side, side), CPU)  # type: ignore[arg-type]
    assert (found.seen, found.windows_in_row) == (seen, windows)


def test_windows_at_the_edges() -> None:
    """Three windows at each end are recorded, with what lies outside the image."""
    found = cover(Conv2d(1, 1, 11, stride=4, rule="ceil"), (1, 1, 224, 224), CPU)
    assert [w.index for w in found.windows] == [0, 1, 2, 52, 53, 54]
    assert vars(found.windows[-1]) == {
        "index": 54,
        "first": 216,
        "last": 223,
        "size": 11,
        "zeros": 3,
    }
    assert vars(found.windows[0]) == {"index": 0, "first": 0, "last": 10, "size": 11, "zeros": 0}


def test_few_windows() -> None:
    """A row of few windows has each of them once."""
    found = cover(Conv2d(1, 1, 3, stride=2), (1, 1, 7, 7), CPU)
    assert [w.index for w in found.windows] == [0, 1, 2]


def test_dilation() -> None:
    """A dilated kernel spans more than it sees."""
    found = cover(nn.Conv2d(1, 1, 3, dilation=2, stride=5), (1, 1, 10, 10), CPU)
    assert {w.size for w in found.windows} == {5}
    assert found.seen == 36


def test_the_layer_stays_as_it_is() -> None:
    """Weights, gradients and their demands are as before, whatever they are."""
    layer = Conv2d(1, 2, 3).requires_grad_(False)
    before = layer.weight.clone()
    cover(layer, (1, 1, 9, 9), CPU)
    assert torch.equal(layer.weight, before)
    assert layer.weight.grad is None and not layer.weight.requires_grad


def test_weights_do_not_matter() -> None:
    """A layer whose weights cancel or are zero sees what its windows hold."""
    layer = Conv2d(1, 2, 3)
    nn.init.zeros_(layer.weight)
    assert cover(layer, (1, 1, 9, 9), CPU).seen == 81


def _first_tells(x: Tensor) -> Tensor:
    return torch.cat([x[..., i::2, j::2] for i in (0, 1) for j in (0, 1)], 1)


CUT: dict[str, tuple[int, tuple[int, int, int], Callable[[Tensor], Tensor]]] = {
    "cropped": (3, (3, 1, -4), lambda x: x[..., 4:-4, 4:-4]),
    "every second": (3, (5, 2, 0), lambda x: x[..., ::2, ::2]),
    "halves": (3, (3, 1, 0), lambda x: x.chunk(2, -2)[0].split(8, -1)[0]),
    "channels": (2, (3, 1, 0), lambda x: x[:, 1:]),
    "narrowed": (3, (3, 1, 0), lambda x: x.narrow(2, 0, 9)),
    "space to depth": (12, (6, 2, 0), _first_tells),
    "joined": (6, (3, 1, 0), lambda x: torch.cat([x[..., :16], x[..., :16]], 1)),
}
"""Channels of what is cut from an image of three, and the field of a window of three on it."""


@pytest.mark.parametrize("name", CUT)
def test_input_that_is_cut_first(name: str) -> None:
    """The input has the axes of what is cut out of it, and layers have their fields."""
    channels, expected, cut = CUT[name]
    told: dict[str, Callable[[], Row]] = {}

    def ended(layer: str, row: Callable[[], Row]) -> None:
        told[layer] = row
        told["input"]()  # asked after every layer, as where networks are measured

    with torch.device("meta"):
        model = By(lambda m, x: m.c(cut(x)), c=nn.Conv2d(channels, 1, 3)).eval()
        image = torch.zeros(1, 3, 32, 36)
        rows, _ = count_layers(model, (image,), ended=ended)
        add_fields(model, (image,), rows)
    assert dict(rows[0].sizes) == {"channels": 3, "height": 32, "width": 36}
    assert told["input"]().sizes == rows[0].sizes
    (row,) = (row for row in rows if row.layer == "c")
    fields = ("receptive_field", "effective_stride", "effective_padding")
    assert tuple(row.fields[f"{name}_height"] for name in fields) == expected


@pytest.mark.parametrize("layer", [nn.Linear(8, 4), nn.LayerNorm(8)])
def test_tokens_that_are_given_as_numbers(layer: nn.Module) -> None:
    """A layer of each token sees one; attention sees all of them."""
    attention = nn.MultiheadAttention(8, 2, batch_first=True)
    model = By(lambda m, x: (m.l(x), m.a(x, x, x)[0]), l=layer, a=attention).to("meta").eval()
    tokens = torch.zeros(1, 16, 8, device="meta")
    rows, _ = count_layers(model, (tokens,))
    add_fields(model, (tokens,), rows)
    found = {row.layer: row for row in rows}
    assert found["l"].fields == {
        "receptive_field": 1, "effective_stride": 1, "effective_padding": 0,
    }  # fmt: skip
    assert found["a"].sees_all == ("tokens",)


UPSAMPLED = {
    "nearest": 2, "nearest-exact": 2, "linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3,
    "area": 2,
}  # fmt: skip


def upsampled(mode: str) -> nn.Module:
    """A convolution, a larger map, and two layers that keep its size."""
    conv = getattr(nn, f"Conv{UPSAMPLED[mode]}d")
    up = nn.Upsample(scale_factor=2, mode=mode)
    return nn.Sequential(conv(1, 2, 3, padding=1), up, nn.ReLU(), conv(2, 1, 3, padding=1))


@pytest.mark.parametrize("mode", UPSAMPLED)
def test_kernels_that_are_deterministic_change_nothing(mode: str) -> None:
    """Sizes and fields are the same on each device, whether kernels are deterministic or not."""
    found = []
    for device, deterministic in product(("cpu", "meta"), (False, True)):
        torch.use_deterministic_algorithms(deterministic, warn_only=True)
        try:
            with torch.device(device):
                model = upsampled(mode).eval()
                given = torch.zeros(1, 1, *(8,) * UPSAMPLED[mode])
                rows, _ = count_layers(model, (given,))
                if device == "meta":
                    add_fields(model, (given,), rows)
            assert torch.are_deterministic_algorithms_enabled() == deterministic
        finally:
            torch.use_deterministic_algorithms(False)
        found.append(([dict(r.sizes) for r in rows], [r.macs for r in rows], rows[-1].fields))
    sizes, macs, fields = found[-1]
    assert {(*row.values(),)[-1] for row in sizes} == {8, 16}
    assert fields["receptive_field"] >= 4
    assert [one[:2] for one in found] == [(sizes, macs)] * 4
    assert found[2][2] == fields


MADE: dict[str, Callable[[nn.Module], nn.Module]] = {
    "weight norm": parametrizations.weight_norm,
    "weight norm by a hook": nn.utils.weight_norm,
    "spectral norm": parametrizations.spectral_norm,
    "spectral norm by a hook": nn.utils.spectral_norm,
    "orthogonal": parametrizations.orthogonal,
    "pruned": lambda layer: prune.l1_unstructured(layer, "weight", amount=0.5),
    "pruned as a whole": lambda layer: prune.ln_structured(layer, "weight", 0.5, 2, dim=0),
}


@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated:FutureWarning")
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("name", MADE)
def test_weight_that_is_made_of_others(name: str, bias: bool, groups: int) -> None:
    """A layer sees what its windows hold however its weight is made, and stays as it is."""
    plain = nn.Conv2d(2, 4, 3, stride=2, groups=groups, bias=bias)
    layer = MADE[name](copy.deepcopy(plain))
    images = torch.rand(1, 2, 8, 8)
    with torch.no_grad():
        before = layer.eval()(images)
    assert cover(layer, (1, 2, 8, 8), CPU) == cover(plain, (1, 2, 8, 8), CPU)  # type: ignore[arg-type]
    assert torch.equal(layer(images), before)


def test_without_gradients() -> None:
    """Coverage is measured where gradients are switched off too."""
    with torch.no_grad():
        found = cover(Conv2d(1, 1, 3), (1, 1, 5, 5), CPU)
    assert isinstance(found, Coverage) and found.seen == 25


def test_what_is_compiled_runs_as_it_was_written() -> None:
    """A compiled network has the fields of the plain one, and no compiler is run for them."""

    def refused(*args: Any) -> Any:
        raise AssertionError("compiled")

    plain = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3, stride=2))
    assert field(lambda: torch.compile(plain, backend=refused), 1, 32, 32) == Field(5, 2, 0)
