"""No archive of 64 MB, whatever stands in it, costs more than a gigabyte of memory to verify."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from forging import rehashed
from projects import EVERYTHING

from reconcile.archive.again import MOST_JUDGEMENTS
from reconcile.archive.container import MANIFEST, METADATA, pack
from reconcile.archive.reading import manifest
from reconcile.files import json_text
from reconcile.study.load import load_study
from reconcile.study.plan import plan_of
from reconcile.tables.contract import head_of

pytestmark = pytest.mark.slow
SIZE = 60 * 1024**2
GIGABYTE = 1024**3
PROGRAM = """
import re, sys
from pathlib import Path
from reconcile.cli import main
code = main(["verify", "--no-pdf", "--receipt", sys.argv[2], sys.argv[1]])
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]
print("\\n", code, int(peak) * 1024)
"""
Members = dict[str, bytes]


def repeated(text: bytes) -> bytes:
    """As much of some bytes as makes the archive 64 MB large."""
    return text * (SIZE // len(text))


def distinct(before: bytes, after: bytes) -> bytes:
    """As many different words, each of eight digits."""
    count = SIZE // (8 + len(before) + len(after))
    return b"".join(b"%s%08d%s" % (before, i, after) for i in range(count))


def member(name: str, content: Callable[[Members], bytes]) -> Callable[[Members], bytes]:
    """An archive in which one member is huge, every hash put right."""

    def build(members: Members) -> bytes:
        whole = members | {name: content(members)}
        if name != METADATA:
            whole[METADATA] = rehashed(whole)
        return pack(whole | {MANIFEST: manifest(whole)})

    return build


def head(members: Members, name: str) -> bytes:
    """The first two lines of a table."""
    return b"\n".join([*members[name].split(b"\n")[:2], b""])


def many_entries(members: Members) -> bytes:
    """A directory of as many entries as there is room for."""
    one = pack({"a": b""})
    entry = one[31:78]
    directory = entry * (SIZE // len(entry))
    return (
        one[:31] + directory + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 9, 9, len(directory), 31, 0)
    )


def overlapping(members: Members) -> bytes:
    """Ten thousand entries onto one large blob."""
    one = pack({"a": bytes(SIZE)})
    (start,) = struct.unpack("<I", one[-6:-2])
    entry = one[start:-22]
    directory = b"".join(entry[:28] + b"\4\0" + entry[30:46] + b"%04d" % i for i in range(9_999))
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 9_999, 9_999, len(directory), start, 0)
    return one[:start] + directory + end


def compressed(members: Members) -> bytes:
    """Sixty thousand megabytes of zeros, packed a thousand times smaller."""
    stream, zeros = io.BytesIO(), bytes(SIZE)
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for i in range(40):
            archive.writestr(str(i), zeros)
    return stream.getvalue()


WIDE = "\N{GRINNING FACE}".encode()
"""One such character, and Python holds each of a text in four bytes."""
LAYERS, TOTALS = "results/layers.csv", "results/totals.csv"
ROW = b"a,b,c,conv" + b"," * (len(head_of("layers.csv")) - 4) + b"\n"
KILLED = b",main,killed" + b"," * (len(head_of("totals.csv")) - 3) + b"\n"
"""Of a row in totals.csv, what follows the reading."""
STUDY, PLAN = "study/study.yaml", "results/interpretations.json"
HOSTILE: dict[str, Callable[[Members], bytes]] = {
    "entries": many_entries,
    "overlaps": overlapping,
    "compression": compressed,
    "blob": member("study/blob", lambda members: repeated(b"x")),
    "empty lists": member("results/reconciliation.json", lambda m: b"[" + repeated(b"[],") + b"1]"),
    "plan": member("results/interpretations.json", lambda m: b'{"a":[' + repeated(b"{},") + b"1]}"),
    "metadata": member("ro-crate-metadata.json", lambda m: b"[" + repeated(b"1,") + b"1]"),
    "long text": member(
        "record/record.json", lambda m: b'{"a":"\xf0\x9f\x98\x80' + repeated(b"x") + b'"}'
    ),
    "rows": member(LAYERS, lambda m: head(m, LAYERS) + repeated(ROW)),
    "cells": member(LAYERS, lambda m: head(m, LAYERS) + repeated(b",") + b"\n"),
    "columns": member(LAYERS, lambda m: distinct(b",", b"") + b"\n"),
    "lines in cells": member(LAYERS, lambda m: head(m, LAYERS) + repeated(b'"a\n",')),
    "totals": member(TOTALS, lambda m: head(m, TOTALS) + distinct(b"a", KILLED)),
    "sentences": member("results/evidence.csv", lambda m: repeated(b"a,b\n")),
    "macros": member("results/numbers.tex", lambda m: distinct(b"\\newcommand{\\rc", b"}{1}\n")),
    "YAML": member("study/study.yaml", lambda m: b"a: [" + repeated(b"x,") + b"]\n"),
    "manifest": lambda m: pack(m | {MANIFEST: distinct(b"0" * 64 + b"  ", b"\n")}),
    "files": lambda m: pack(m | {f"study/{i}": bytes(6_000) for i in range(9_000)}),
    "sweep": member("study/study.yaml", lambda m: swept(m["study/study.yaml"])),
}


def swept(study: bytes, sides: int = 400) -> bytes:
    """A study that sweeps as many readings as a study may, or fewer."""
    axes = {"side": range(3, 3 + sides), "kernels": range(1, 501)}
    said = ", ".join(f"{name}: {list(values)}" for name, values in axes.items())
    proposed = "proposed_by: [{name: constructed for this study}]"
    return study + f"sweep: {{title: Wide, axes: {{{said}}}, {proposed}}}\n".encode()


def judged(members: Members) -> bytes:
    """As many readings as are still judged, of which none could be measured."""
    study = swept(members[STUDY], sides=MOST_JUDGEMENTS // 1_000 - 1)
    with TemporaryDirectory() as name:
        folder = Path(name) / "toy"
        folder.mkdir()
        (folder / "study.yaml").write_bytes(study)
        (folder / "network.py").write_bytes(members["study/network.py"])
        plan = plan_of(load_study(folder), "toy")
    own = members[TOTALS].splitlines(keepends=True)
    ids = [reading["id"] for reading in plan["interpretations"]][len(own) - 1 :]
    totals = b"".join([*own, *(i.encode() + KILLED for i in ids)])
    changed = {STUDY: study, TOTALS: totals, PLAN: json_text(plan).encode()}
    whole = members | changed
    whole[METADATA] = rehashed(whole)
    return pack(whole | {MANIFEST: manifest(whole)})


HOSTILE["judgements"] = judged
REACHES = {
    "rows": "cells of tables, more than",
    "totals": "cells of tables, more than",
    "judgements": "results/verdicts.csv",
}
"""What a kind that is large in a table of the right form is told, however tables change."""


SAMPLE = ("overlaps", "compression", "lines in cells", "YAML")
"""What `make test` tries of them: `make reliability` tries all."""


@pytest.mark.parametrize("kind", HOSTILE if EVERYTHING else SAMPLE)
def test_memory(original: Mapping[str, bytes], tmp_path: Path, kind: str) -> None:
    """A hostile archive of 64 MB has its answer in lines, within a gigabyte."""
    file = tmp_path / "a.zip"
    file.write_bytes(HOSTILE[kind](dict(original)))
    assert file.stat().st_size <= 64 * 1024**2
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, file, tmp_path / "receipt.json"],
        capture_output=True,
        text=True,
        check=True,
    )
    code, peak = done.stdout.split()[-2:]
    assert code in ("0", "1", "3"), done.stdout
    assert REACHES.get(kind, "") in done.stdout
    assert int(peak) < GIGABYTE, f"{int(peak):,} bytes"
    assert not done.stderr
