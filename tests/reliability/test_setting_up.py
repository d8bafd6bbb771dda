"""Set-up in a folder of any name, killed at any moment, moved or copied: it works by itself."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from living import descendants
from projects import EVERYTHING, LIMIT_S, Undisturbed, outputs, tiny_project
from support import PROJECT

in_full = pytest.mark.skipif(not EVERYTHING, reason="in `make reliability`")
Done = subprocess.CompletedProcess[bytes]
STAND_INS = Path(__file__).parent / "stand_ins"
# `-m venv --clear FOLDER` makes an environment without the pip that takes seconds to unpack.
PYTHON = """#!/bin/sh
[ "$3 $4" = "index versions" ] && { echo "Available versions: 99.0, $OFFERED"; exit; }
[ "$1 $2" = "-m venv" ] || exec "$REAL_PYTHON" "$@"
"$REAL_PYTHON" -m venv --without-pip --clear "$4" || exit
cp "$STAND_INS/pip.py" "$4"/lib/python3*/site-packages/
"$4/bin/python" -m pip --version
"""
COMMANDS = {
    "python3.11": PYTHON,
    "dpkg-query": "#!/bin/sh\necho installed\n",
    "dpkg": '#!/bin/sh\necho "dpkg $*" >>"$LOG"\n',
    "apt-get": '#!/bin/sh\necho "apt-get $*" >>"$LOG"\n',
}
OWN_LIBRARY = "own-library: environment ; @snakemake"
ACTIVATED = 'source "$0/.venv/bin/activate" && cd / && snakemake'

UV = """#!/bin/sh
echo "uv $*, for $UV_HTTP_TIMEOUT s" >>"$LOG"
[ "$UV_FAILS" ] && exit 1
while [ "$1" != --python ]; do shift; done
python=$2
shift 2
exec "$python" -m pip install "$@"
"""
PINS = (PROJECT / "requirements.lock").read_text("utf-8")
(TORCH,) = re.findall(r"(?m)^torch==(\S+) ", PINS)

NAMES = [
    "a b/c'd ü#$x (1)&\"",
    "$(touch owned) `touch owned` ; touch owned",
    "''' \"\"\" \\ %s *?[!a] ~ !x <>|",
    " -x\t\x1b[31m✓ 日本語 \r",
    "ü" * 120 + "/" + "ü" * 120,
]
REFUSED = [b"co:lon", b"{study}", b"line\nbreak", b"latin \xfc"]


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stand-ins for Python, which is handed a quick pip, and for the system's packages."""
    folder = tmp_path_factory.mktemp("commands")
    for name, text in COMMANDS.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    for number, entry in enumerate(os.get_exec_path()):
        if Path(entry, "uv").exists():
            hide_uv(Path(entry), folder / f"path-{number}")
    return folder


def hide_uv(entry: Path, links: Path) -> None:
    """Link to what a folder of the search path holds, but for a uv that would not be the test's."""
    links.mkdir()
    for command in entry.iterdir():
        if command.name != "uv":
            (links / command.name).symlink_to(command)


def search_path(commands: Path) -> Iterator[str]:
    """The folders in which commands are looked for, one with links in place of each with a uv."""
    for number, entry in enumerate(os.get_exec_path()):
        links = commands / f"path-{number}"
        yield str(links) if links.exists() else entry


def folder_to_set_up(folder: Path) -> Path:
    """What set-up reads of the project."""
    package = folder / "workflow" / "reconcile"
    package.mkdir(parents=True)
    shutil.copy(PROJECT / "workflow/reconcile/__init__.py", package)
    add_tools(folder)
    return folder


def add_tools(folder: Path) -> None:
    """Put into a folder what `make` needs to set it up."""
    skipped = shutil.ignore_patterns("node_modules", "__pycache__")
    shutil.copytree(PROJECT / "tools", folder / "tools", ignore=skipped, dirs_exist_ok=True)
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "requirements-test.lock"):
        shutil.copy(PROJECT / name, folder / name)


def plain_environment(**variables: str) -> dict[str, str]:
    """The environment of somebody who has no environment active, in the plainest locale."""
    hidden = ("PYTHONPATH", "VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL")
    return {k: v for k, v in os.environ.items() if k not in hidden} | {"LC_ALL": "C"} | variables


def standing_in(commands: Path, **variables: str) -> dict[str, str]:
    """The same, with stand-ins for what set-up calls."""
    own = {
        "PATH": os.pathsep.join([str(commands), *search_path(commands)]),
        "LOG": str(commands / "log"),
        "OFFERED": f"{TORCH}+cpu, {TORCH}, 0.1",
        "REAL_PACKAGES": sysconfig.get_path("purelib"),
        "REAL_PYTHON": sys.executable,
        "STAND_INS": str(STAND_INS),
    }
    return plain_environment(**(own | variables))


def run(folder: Path, *command: str, environment: dict[str, str]) -> Done:
    """Run a command in a session of its own, so that it can be killed with all that it started."""
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        check=False,
    )


def made(folder: Path, commands: Path, target: str = "environment", **variables: str) -> Done:
    """Run `make` for a target, with stand-ins."""
    command = ("make", f"--eval={OWN_LIBRARY}", target)
    return run(folder, *command, environment=standing_in(commands, **variables))


MADE = b"setup: making .venv\n"
UPDATED = b"setup: bringing .venv up to date\n"


def is_its_own(folder: Path, commands: Path, *, done: bytes = b"") -> None:
    """Check that a folder's commands use its own library, after set-up said so much."""
    told = made(folder, commands, "own-library")
    assert told.stdout == done + os.fsencode(folder)
    told = run(Path("/"), "bash", "-uc", ACTIVATED, str(folder), environment=plain_environment())
    assert told.stdout == os.fsencode(folder)


@pytest.mark.parametrize("name", NAMES if EVERYTHING else NAMES[:1])
def test_a_folder_of_any_name(tmp_path: Path, commands: Path, name: str) -> None:
    """In a folder of any name `make` and `activate` find the commands, and they the library."""
    folder = folder_to_set_up(tmp_path / name)
    is_its_own(folder, commands, done=MADE)
    assert not [entry.name for entry in tmp_path.rglob("owned")]
    for command in (folder / ".venv" / "bin").iterdir():
        content = b"" if command.is_symlink() else command.read_bytes()
        assert b"/bin/python" not in content, command
        assert os.fsencode(folder) not in content, command


ANY_NAME = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0:{}\n"), min_size=1, max_size=60
).filter(lambda name: name not in (".", "..") and len(name.encode()) <= 255)


@settings(max_examples=100 if EVERYTHING else 5)
@given(name=ANY_NAME)
def test_a_folder_of_a_name_that_nobody_thought_of(
    tmp_path_factory: pytest.TempPathFactory, commands: Path, name: str
) -> None:
    """Whatever characters the name holds, set-up works in the folder."""
    folder = folder_to_set_up(tmp_path_factory.mktemp("named") / name)
    is_its_own(folder, commands, done=MADE)


@pytest.mark.parametrize("name", REFUSED)
def test_a_name_that_cannot_work(tmp_path: Path, commands: Path, name: bytes) -> None:
    """A path that PATH or Snakemake cannot take is one line that says so, and makes nothing."""
    folder = folder_to_set_up(Path(os.fsdecode(os.fsencode(tmp_path / "x") + name)))
    done = made(folder, commands)
    lines = done.stdout.splitlines()
    assert done.returncode != 0
    assert lines[0].startswith(b"setup: the path of this folder has a colon, brace or line break")
    assert len(lines) == 2
    assert lines[1].startswith(b"make: ***")
    assert not (folder / ".venv").exists()


def installed(folder: Path) -> set[str]:
    """The steps whose work is in the environment, and how far each came."""
    packages = (folder / ".venv" / "lib").glob("python3*/site-packages/*")
    return {file.name for file in packages if file.suffix in (".half", ".whole")}


@pytest.mark.parametrize("step", ["venv", "lock", "torch", "check", "npm"])
def test_a_set_up_that_was_killed(tmp_path: Path, commands: Path, step: str) -> None:
    """After SIGKILL in any step the next set-up starts from nothing, and the one after rests."""
    folder = folder_to_set_up(tmp_path / "project")
    assert made(folder, commands, "test-environment", KILLED=step).returncode == -signal.SIGKILL
    assert f"{step}.half" in installed(folder)
    done = made(folder, commands, "test-environment")
    assert (done.returncode, done.stdout) == (0, MADE)
    assert installed(folder) == {f"{s}.whole" for s in ("venv", "lock", "torch", "check", "npm")}
    assert made(folder, commands, "test-environment").stdout == b""
    is_its_own(folder, commands)


@pytest.mark.parametrize("step", ["lock", "torch", "check"])
def test_an_update_that_was_killed(tmp_path: Path, commands: Path, step: str) -> None:
    """A set-up that is killed while it changes what was complete leaves no stamp that says so."""
    folder = folder_to_set_up(tmp_path / "project")
    made(folder, commands)
    (folder / "requirements.lock").write_text(f"{PINS}# newer\n")
    assert made(folder, commands, KILLED=step).returncode == -signal.SIGKILL
    assert made(folder, commands).stdout == MADE
    assert installed(folder) == {f"{s}.whole" for s in ("venv", "lock", "torch", "check")}


def test_a_removal_that_was_killed(tmp_path: Path, commands: Path) -> None:
    """Half of an environment, whose Python comes first in PATH, is not what makes the next."""
    folder = folder_to_set_up(tmp_path / "project")
    made(folder, commands)
    for name in ("pyvenv.cfg", "report.stamp"):
        (folder / ".venv" / name).unlink()
    is_its_own(folder, commands, done=MADE)


def test_what_a_killed_set_up_left_running(tmp_path: Path, commands: Path) -> None:
    """The next set-up waits for the pip of one that was killed, and then starts from nothing."""
    folder = folder_to_set_up(tmp_path / "project")
    killed = subprocess.Popen(
        ["tools/setup.sh"],
        cwd=folder,
        env=standing_in(commands, SLOW="1"),
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while "lock.half" not in installed(folder):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    killed.kill()
    killed.wait()
    done = made(folder, commands)
    assert done.stdout == b"setup: waiting for another set-up of this folder to end\n" + MADE
    is_its_own(folder, commands)


@pytest.mark.parametrize("how", ["mv", "cp -a"])
def test_a_folder_that_went_elsewhere(tmp_path: Path, commands: Path, how: str) -> None:
    """A folder that was moved or copied uses its own library, with nothing made anew."""
    folder, other = folder_to_set_up(tmp_path / "project"), tmp_path / NAMES[0]
    made(folder, commands)
    other.parent.mkdir()
    subprocess.run([*how.split(), folder, other], check=True)
    is_its_own(other, commands)
    if folder.exists():
        is_its_own(folder, commands)


def test_newer_pins(tmp_path: Path, commands: Path) -> None:
    """Newer pins are put into the environment that is there, with what was added by hand."""
    folder = folder_to_set_up(tmp_path / "project")
    made(folder, commands)
    by_hand = folder / ".venv" / "by-hand"
    by_hand.touch()
    (folder / "requirements.lock").write_text(f"{PINS}# newer\n")
    assert made(folder, commands).stdout == UPDATED
    assert by_hand.exists()
    assert made(folder, commands).stdout == b""


def test_newer_pins_without_a_network(tmp_path: Path, commands: Path) -> None:
    """Where packages cannot be fetched, set-up fails, and what is there stays and counts."""
    folder = folder_to_set_up(tmp_path / "project")
    made(folder, commands)
    pins = (folder / "requirements.lock").read_bytes()
    (folder / "requirements.lock").write_text(f"{PINS}# newer\n")
    for _ in range(2):
        done = made(folder, commands, FAILS="torch")
        assert done.returncode != 0
        assert b"there is no network" in done.stdout
    (folder / "requirements.lock").write_bytes(pins)
    assert made(folder, commands).stdout == b""


@pytest.mark.parametrize("fault", ["stamp of an older set-up", "Python is gone"])
def test_an_environment_that_does_not_work(tmp_path: Path, commands: Path, fault: str) -> None:
    """An environment with an empty stamp, or whose Python is no longer there, is made anew."""
    folder = folder_to_set_up(tmp_path / "project")
    made(folder, commands)
    if fault == "Python is gone":
        python = folder / ".venv" / "bin" / "python"
        python.unlink()
        python.symlink_to("/nowhere/python")
    else:
        (folder / ".venv" / "report.stamp").write_text("")
    is_its_own(folder, commands, done=MADE)


def test_missing_system_packages(tmp_path: Path, commands: Path) -> None:
    """Root has them installed, after what was interrupted; others are told the exact command."""
    folder, own = folder_to_set_up(tmp_path / "project"), tmp_path / "commands"
    shutil.copytree(commands, own)
    (own / "dpkg-query").write_text("#!/bin/sh\nexit 1\n")
    done = made(folder, own)
    if os.geteuid() == 0:
        configure, update, install = (own / "log").read_text().splitlines()
        assert (configure, update) == ("dpkg --configure -a", "apt-get update -qq")
        assert install.endswith("--no-install-recommends " + PANGO)
        assert done.stdout == b"setup: installing " + PANGO.encode() + b"\n" + MADE
    else:
        command = f"sudo apt-get install --no-install-recommends {PANGO}"
        assert done.stdout.startswith(f"setup: packages are missing; run: {command}\n".encode())
        assert not (folder / ".venv").exists()


def with_uv(commands: Path, to: Path) -> Path:
    """The stand-ins, and one for uv."""
    shutil.copytree(commands, to, symlinks=True)
    (to / "uv").write_text(UV)
    (to / "uv").chmod(0o755)
    return to


def asked(folder: Path, step: str) -> str:
    """What installed a step was asked for."""
    (file,) = folder.glob(f".venv/lib/python3*/site-packages/{step}.asked")
    return file.read_text("utf-8")


@pytest.mark.parametrize("uv", ["is not there", "is there", "fails"])
def test_uv_or_pip(tmp_path: Path, commands: Path, uv: str) -> None:
    """Uv installs where it is there, pip where it is not or fails, both by hash alone."""
    folder, own = folder_to_set_up(tmp_path / "project"), with_uv(commands, tmp_path / "own")
    if uv == "is not there":
        (own / "uv").unlink()
    done = made(folder, own, UV_FAILS="1" if uv == "fails" else "")
    failed = b"setup: uv could not; trying pip\n" if uv == "fails" else b""
    assert (done.returncode, done.stdout) == (0, MADE + failed)
    calls = (own / "log").read_text().splitlines() if (own / "log").exists() else []
    assert len(calls) == {"is not there": 0, "is there": 2, "fails": 1}[uv]
    for step in ("lock", "torch"):
        assert "--no-deps --require-hashes -r " in asked(folder, step)


def test_uv_waits_as_long_as_pip(tmp_path: Path, commands: Path) -> None:
    """What pip is told of a slow network holds for uv, which does not read pip's settings."""
    folder, own = folder_to_set_up(tmp_path / "project"), with_uv(commands, tmp_path / "own")
    assert made(folder, own, PIP_DEFAULT_TIMEOUT="77").returncode == 0
    calls = (own / "log").read_text().splitlines()
    assert calls
    assert all(call.endswith(", for 77 s") for call in calls)


@pytest.mark.parametrize("offered", ["", TORCH, f"{TORCH}+cpu", f"{TORCH}+cu999"])
def test_the_build_of_torch_that_is_offered(tmp_path: Path, commands: Path, offered: str) -> None:
    """The build that pip would choose is asked for by name, with the hashes of the lock."""
    folder = folder_to_set_up(tmp_path / "project")
    done = made(folder, commands, OFFERED=f"{offered}, 0.1")
    assert (done.returncode, done.stdout) == (0, MADE)
    assert "--require-hashes" in asked(folder, "torch")
    (line, *hashes) = asked_for(folder)
    assert line == f"torch=={offered or TORCH} \\"
    assert set(hashes) == {line for line in PINS.splitlines() if line in hashes}
    assert len(hashes) > 1


def asked_for(folder: Path) -> list[str]:
    """The lines of what torch was asked for by."""
    (file,) = folder.glob(".venv/lib/python3*/site-packages/torch.lines")
    return file.read_text("utf-8").splitlines()


@pytest.mark.parametrize("needs", ["", "Requires-Dist: nvidia-cublas; sys_platform == 'linux'"])
def test_the_parts_of_cuda(tmp_path: Path, commands: Path, needs: str) -> None:
    """They are installed, by their hashes, where the build of torch asks for them only."""
    folder = folder_to_set_up(tmp_path / "project")
    assert made(folder, commands, NEEDS=needs).returncode == 0
    assert ("cuda.whole" in installed(folder)) == bool(needs)
    if needs:
        assert "--no-deps --require-hashes -r " in asked(folder, "cuda")


def test_a_build_of_torch_that_is_not_in_the_lock(tmp_path: Path, commands: Path) -> None:
    """It is refused with the line that takes it, and taken with a line that says so."""
    folder = folder_to_set_up(tmp_path / "project")
    done = made(folder, commands, FAILS="torch")
    assert done.returncode != 0
    build = f"{TORCH}+cpu"
    refused = f"torch {build} was not installed; without a hash: TORCH_BUILD={build} make report"
    assert f"setup: {refused}\n".encode() in done.stdout
    done = made(folder, commands, TORCH_BUILD=build)
    assert done.returncode == 0
    taken = f"setup: installing torch {build}, and what it needs, without the hashes of "
    assert taken.encode() in done.stdout
    assert "--require-hashes" not in asked(folder, "torch")


PANGO = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"


@in_full
@pytest.mark.slow
def test_make_report_from_nothing(tmp_path: Path, undisturbed: Undisturbed) -> None:
    """`make report` ends with the same bytes when pip was killed, and elsewhere afterwards."""
    folder = tiny_project(tmp_path / NAMES[0])
    add_tools(folder)
    begun = subprocess.Popen(
        ["make", "report"], cwd=folder, env=plain_environment(), start_new_session=True
    )
    deadline = time.monotonic() + 600
    while not list(folder.glob(".venv/lib/python3*/site-packages/[a-o]*")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.killpg(begun.pid, signal.SIGKILL)
    begun.wait()
    reported(folder, undisturbed)
    moved, copied = tmp_path / "moved $x", tmp_path / "copied 'y'"
    folder.rename(moved)
    subprocess.run(["cp", "-a", moved, copied], check=True)
    for other in (moved, copied):
        assert b"Nothing to be done" in reported(other, undisturbed).stdout
        shutil.rmtree(other / "results")
        reported(other, undisturbed)


class Life(NamedTuple):
    """How long a fresh clone takes: to be set up, and then to report."""

    set_up: float
    report: float


LIVES, KILLS, SEED = 10, 10, 22


@pytest.fixture(scope="module")
def whole_life(tmp_path_factory: pytest.TempPathFactory, undisturbed: Undisturbed) -> Life:
    """The life of a clone that nobody disturbs."""
    folder = tiny_project(tmp_path_factory.mktemp("life") / "clone")
    add_tools(folder)
    begun = time.monotonic()
    assert run(folder, "make", "environment", environment=plain_environment()).returncode == 0
    made_at = time.monotonic()
    reported(folder, undisturbed)
    life = Life(made_at - begun, time.monotonic() - made_at)
    shutil.rmtree(folder)
    return life


@in_full
@pytest.mark.slow
@pytest.mark.parametrize("number", range(LIVES))
def test_a_life_of_kills(
    tmp_path: Path, undisturbed: Undisturbed, whole_life: Life, number: int
) -> None:
    """Killed ten times at random moments from its first on, a clone ends with the same bytes."""
    chance = random.Random(SEED * 1000 + number)  # noqa: S311 - a test draws moments, no secrets
    folder = tiny_project(tmp_path / NAMES[0])
    add_tools(folder)
    killed = 0
    while killed < KILLS:
        made_already = (folder / ".venv" / "report.stamp").exists()
        # What was written before stays, so on average half of the report is left to do.
        lasts = whole_life.report / 2 if made_already else sum(whole_life)
        if is_killed(folder, chance.uniform(0, lasts), chance, group=killed % 2 == 0):
            killed += 1
        else:
            # It was quicker than thought, and has another go.
            assert outputs(folder) == undisturbed.outputs
            shutil.rmtree(folder / "results")
        there = outputs(folder)
        assert there == {name: undisturbed.outputs[name] for name in there}, "half-written"
    reported(folder, undisturbed)
    shutil.rmtree(folder)


def is_killed(folder: Path, after: float, chance: random.Random, *, group: bool) -> bool:
    """Run `make report` and kill it, or one that it started, at a moment.

    Returns:
        Whether it ended for that, and not well before or in spite of it.
    """
    process = subprocess.Popen(
        ["make", "report"],
        cwd=folder,
        env=plain_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    with suppress(subprocess.TimeoutExpired):
        assert process.wait(after) == 0
        return False
    below = descendants(process.pid)
    if group or not below:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        with suppress(ProcessLookupError):
            os.kill(chance.choice(below), signal.SIGKILL)
    # Whoever is left of it ends too: what waits for ever is a fault.
    return process.wait(timeout=LIMIT_S) != 0


def reported(folder: Path, undisturbed: Undisturbed) -> Done:
    """Run `make report` and check what it wrote."""
    done = run(folder, "make", "report", environment=plain_environment())
    assert done.returncode == 0, done.stdout.decode(errors="replace")
    assert outputs(folder) == undisturbed.outputs
    return done
