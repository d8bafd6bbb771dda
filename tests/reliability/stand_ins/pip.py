"""In place of pip: installs no more than two commands, which pip's own code writes.

Leaves a file for each step in site-packages: `.half` while it goes on, `.whole` after.
"""

import os
import signal
import sys
import sysconfig
import time
from pathlib import Path

HERE, COMMANDS = (Path(sysconfig.get_path(name)) for name in ("purelib", "scripts"))
STEPS = {
    **{"--version": "venv", "check": "check", "npm": "npm"},
    **{"build": "torch", "cuda": "cuda"},
}
SAID = """
import os, sys, reconcile
from pathlib import Path

def snakemake():
    sys.stdout.buffer.write(os.fsencode(Path(reconcile.__file__).parents[2]))

def npm():
    os.execl(sys.executable, sys.executable, "-m", "pip", "npm")
"""


def install_commands() -> None:
    """Write two commands, naming Python as pip does."""
    sys.path.insert(0, os.environ["REAL_PACKAGES"])
    from pip._vendor.distlib.scripts import ScriptMaker

    maker = ScriptMaker(None, str(COMMANDS))
    maker.variants, maker.set_mode, maker.clobber = {""}, True, True
    maker.make_multiple([f"{name} = said:{name}" for name in ("snakemake", "npm")])
    (HERE / "said.py").write_text(SAID)


def main() -> None:
    """Do a step of set-up, as slowly as SLOW says, unless FAILS or KILLED names it."""
    last = Path(sys.argv[-1]).name
    step = STEPS.get(last, "torch" if last.startswith("torch") else "lock")
    if os.environ.get("FAILS") == step:
        sys.exit("there is no network")
    # As setuptools does, which builds what comes as source.
    if "$" in sys.prefix:
        sys.exit(f"invalid variable in {sys.prefix}")
    if "--dry-run" in sys.argv:
        return
    (HERE / f"{step}.half").touch()
    time.sleep(float(os.environ.get("SLOW", "0")))
    if os.environ.get("KILLED") == step:
        os.killpg(0, signal.SIGKILL)
    if step == "lock":
        install_commands()
    if step == "torch":
        info = HERE / "torch-0.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(f"Name: torch\nVersion: 0\n{os.environ.get('NEEDS', '')}\n")
        if last == "build":
            (HERE / "torch.lines").write_text(Path(sys.argv[-1]).read_text())
    (HERE / f"{step}.asked").write_text(" ".join(sys.argv[1:]))
    (HERE / f"{step}.half").rename(HERE / f"{step}.whole")


main()
