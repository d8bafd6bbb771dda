"""What a study asks for is bounded, and what asks for more is refused before it is computed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import study_data, write_study

from reconcile.errors import InputError
from reconcile.study.load import load_study
from reconcile.study.model import Study
from reconcile.study.plan import MAX_COMBINATIONS, MAX_COUNTINGS


def swept(size: int, countings: int) -> dict[str, Any]:
    """A study whose sweep has so many combinations, and whose claim so many countings."""
    data = study_data()
    own = [{"id": f"c{i}", "title": f"way {i}", "count": "neurons(conv)"} for i in range(countings)]
    data["claims"][0]["countings"] = own
    rows = size // 1000
    axes = {"size": [*range(8, 8 + rows)], "kernels": [*range(1, 1001)]}
    data["sweep"] = {"title": "Sizes", "axes": axes, "proposed_by": [{"name": "Nobody"}]}
    return data


@pytest.mark.parametrize(
    ("size", "countings", "said"),
    [
        (MAX_COMBINATIONS + 1000, 0, "gives 201,000 combinations; accepted are 1 to 200,000"),
        (MAX_COMBINATIONS, 30, "asks for 7,200,000 numbers"),
        (100_000, 100, f"; accepted are {MAX_COUNTINGS:,}"),
    ],
)
def test_a_sweep_times_its_claims(tmp_path: Path, size: int, countings: int, said: str) -> None:
    """Neither may be too large, nor both together; no combination is written out for that."""
    folder = write_study(tmp_path / "tiny", swept(size, countings))
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr("reconcile.study.load.with_swept")
        with pytest.raises(InputError) as caught:
            load_study(folder)
    (fault,) = caught.value.faults
    assert said in fault.message
    assert fault.key == "sweep.axes"


def test_an_error_counts_all_numbers_that_it_is_over(tmp_path: Path) -> None:
    """A claim on how far a reading is from others asks for as many numbers as they are."""
    data = swept(MAX_COMBINATIONS, 0)
    shared = {"quote": "a number", "where": "here"}
    data["claims"] += [
        {"id": f"same-{i}", "printed": "64", "quantity": "neurons", "of": "conv"} | shared
        for i in range(10)
    ]
    off = {"printed": "1%", "quantity": "mean_error('same-*') + largest_error('same-*')"}
    data["claims"].append({"id": "off"} | off | shared)
    counted = sum(1 + len(claim.get("countings", ())) for claim in data["claims"])
    numbers = MAX_COMBINATIONS * (counted + 2 * 10)
    with pytest.raises(InputError, match=f"asks for {numbers:,} numbers"):
        load_study(write_study(tmp_path / "tiny", data))


def test_a_large_sweep_that_is_accepted(tmp_path: Path) -> None:
    """What stays below is a study."""
    study = load_study(write_study(tmp_path / "tiny", swept(2000, 3)))
    assert len(study.interpretations) > 2000


def test_an_expression_of_any_length(make_study: Callable[..., Study]) -> None:
    """One that is longer than any other text of a study is refused like it, before it is parsed."""

    def long(data: dict[str, Any]) -> None:
        data["claims"][0] |= {"quantity": f"min({'1, ' * 400}neurons(conv))", "of": None}
        del data["claims"][0]["of"]

    with pytest.raises(
        InputError, match=r"claims\.0\.quantity: must be text of at most 1000 characters"
    ):
        make_study(long)
