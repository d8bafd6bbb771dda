"""The files in ``results/<study>/`` and the columns of its tables: the contract with users.

``docs/results.md`` describes each; both are kept in step by a test. Defined once, here, and without
pandas, so that a host that only measures can write them.
"""

from __future__ import annotations

NETWORK, ROOT, INPUT = "network", "root", "input"
"""Reserved names of layers: the whole network, the outermost module by itself, what goes in."""

MEASURED = ("measured", "measured-on-meta")
"""The statuses under which a network has counts."""
COUNTED_KINDS = ("conv", "fc")
"""A network's neurons are those of its convolutional and fully connected layers."""

LAYERS = (
    "interpretation",
    "network",
    "layer",
    "kind",
    "channels",
    "height",
    "width",
    "neurons",
    "parameters",
    "macs",
    "connections",
)
TOTALS = (
    "interpretation",
    "network",
    "status",
    "message",
    "neurons",
    "conv_neurons",
    "parameters",
    "macs",
    "connections",
)
COVERAGE = ("interpretation", "network", "layer", "height", "width", "positions", "seen")
WINDOWS = (
    "interpretation",
    "network",
    "layer",
    "window",
    "windows",
    "first",
    "last",
    "size",
    "zeros",
)
TIMINGS = (
    "interpretation",
    "network",
    "layer",
    "device",
    "repeats",
    "median_ms",
    "q1_ms",
    "q3_ms",
    "peak_memory_bytes",
)
OUTPUTS = ("interpretation", "network", "mean", "rms", "largest")
VERDICTS = ("interpretation", "claim", "printed", "measured", "verdict", "reason")
COUNTINGS = ("interpretation", "claim", "counting", "title", "measured", "verdict")
CONSISTENCY = ("check", "claim", "printed", "computed", "verdict", "says")
EVIDENCE = ("evidence", "source", "url", "supports", "excludes", "check", "outcome", "says")
SLIPS = (
    "claim",
    "kind",
    "searched",
    "tried",
    "found",
    "hit",
    "expression",
    "cost",
    "chance",
    "chance_of_multiples",
)
GEOMETRIES = (
    "claim",
    "kind",
    "searched",
    "tried",
    "found",
    "hit",
    "geometries",
    "square_inputs",
    "keeping",
    "example",
)

TABLES = {
    "layers.csv": LAYERS,
    "totals.csv": TOTALS,
    "coverage.csv": COVERAGE,
    "windows.csv": WINDOWS,
    "outputs.csv": OUTPUTS,
    "timings.csv": TIMINGS,
    "verdicts.csv": VERDICTS,
    "countings.csv": COUNTINGS,
    "consistency.csv": CONSISTENCY,
    "evidence.csv": EVIDENCE,
    "slips.csv": SLIPS,
    "geometries.csv": GEOMETRIES,
}
"""Every table of a study, by file name, with its columns in order."""

RECORD_FILES = ("record.json", "timings.csv", "outputs.csv")
"""What differs between two runs; everything else is the same byte for byte."""
