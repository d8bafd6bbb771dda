"""What the report says about each claim."""

from __future__ import annotations

from pathlib import Path

from support import study_data, write_study

from reconcile.report.claims import counted_as
from reconcile.study.load import load_study


def test_claims_name_the_network_they_are_of(tmp_path: Path) -> None:
    """A claim about one of several networks says of which."""
    data = study_data()
    data["claims"][0]["network"] = data["claims"][2]["network"] = "large"
    for reading in data["interpretations"]:
        reading.pop("slip", None)
        reading["networks"] = {"main": {}, "large": {}}
    study = load_study(write_study(tmp_path, data))
    assert counted_as(study.claims[0]) == "neurons of conv in large"
    assert counted_as(study.claims[1]) == "width of the map of conv"
    assert counted_as(study.claims[2]) == "parameters of large"
