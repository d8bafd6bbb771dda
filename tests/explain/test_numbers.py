"""What a number says as it is typed."""

from __future__ import annotations

import pytest

from reconcile.errors import InputError
from reconcile.explain.numbers import number_asked, power_of


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("307M", ""),
        ("4.1 GFLOPs", "flops"),
        ("4.1G MACs", "macs"),
        ("25.6M params", "parameters"),
        ("650,000 neurons", "neurons"),
        ("60 million parameters", "parameters"),
        ("1.5 billion FLOPs", "flops"),
        ("11 million activations", "neurons"),
        ("97.8 MB", "bytes"),
        ("13.5 GB", "bytes"),
        ("98 MiB", "bytes"),
        ("1,024 bytes", "bytes"),
        ("7B", ""),
    ],
)
def test_what_a_number_says(text: str, quantity: str) -> None:
    """A word after the number says what it counts."""
    assert number_asked(text)[1] == quantity


@pytest.mark.parametrize(
    ("text", "value", "power"),
    [
        ("97.8 MB", 97_800_000, 2),
        ("1.5 GiB", 1.5 * 2**30, 0),
        ("1070KB", 1_070_000, 1),
        ("7B", 7e9, 0),
    ],
)
def test_sizes(text: str, value: float, power: int) -> None:
    """A size in bytes is read in thousands, and may count in 1,024s unless it says which."""
    assert number_asked(text)[0].value == value
    assert power_of(text) == power


@pytest.mark.parametrize("text", ["many", "1.234", "-3", "0", "<5M", ""])
def test_no_number(text: str) -> None:
    """What is no number, or may be one of two, is refused in one line."""
    with pytest.raises(InputError) as refused:
        number_asked(text)
    assert str(refused.value).startswith("explain: number: ")
    assert "\n" not in str(refused.value)
