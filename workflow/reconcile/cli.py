"""The command line: ``python -m reconcile COMMAND``, the same as ``reconcile COMMAND``.

A command imports only what it needs: ``measure`` runs where nothing but torch, pydantic and PyYAML
is installed.
"""

from __future__ import annotations

import argparse
import io
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from reconcile import __version__
from reconcile.errors import Fault, InputError, visible
from reconcile.files import json_text, write_json, write_text
from reconcile.words import aligned

if TYPE_CHECKING:
    from reconcile.archive.compare import Comparison
    from reconcile.archive.verify import Verification
    from reconcile.explain.asking import AskedNetwork
    from reconcile.explain.ranking import Answered

RECEIPT = "verification.json"
COMPARED = ("table", "where", "what")
EXIT_CODES = {"holds": 0, "fails": 1, "holds in part": 3}
"""Of ``verify``; 2 is for what cannot be read at all."""
_LAST_LINES = {
    "holds": "all checks hold",
    "holds in part": "holds IN PART: what was compared holds",
    "fails": "NOT verified",
}
MAX_WIDTH = 60
"""Characters of a cell of ``compare``."""
MAX_MESSAGE = 300
_CODES = (
    "Exit codes: 0, done, and all holds; 1, what was asked for does not hold or cannot be "
    "measured; 2, bad input or use; 3, an archive holds in part; 130, stopped."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command, whatever it is given; what goes wrong is one line a fault, on stderr.

    Returns:
        An exit code, as ``--help`` lists them.
    """
    _print_anything()
    args = _parser(sys.argv[1:] if argv is None else argv)
    try:
        code = int(args.run(args))
        sys.stdout.flush()
    except BrokenPipeError:
        # Who reads has read enough. Python would complain once more as it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        print(_unexpected(args.command, error), file=sys.stderr)
        return 2
    return code


def _print_anything() -> None:
    """Where the terminal cannot show a letter, print its number instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _unexpected(command: str, error: Exception) -> str:
    """Whatever no loader or check foresaw, on one line."""
    what = " ".join(str(error).split())[:MAX_MESSAGE]
    told = visible(f"{command}: cannot be done: {type(error).__name__}: {what}")
    return f"{told} (all of it: python -X dev -m reconcile ...)"


class _Parser(argparse.ArgumentParser):
    """Wrong use is one line, too, that names where the use is told."""

    def error(self, message: str) -> NoReturn:
        """End with exit code 2."""
        self.exit(2, f"{self.prog}: {visible(message)[:MAX_MESSAGE]} (use: {self.prog} --help)\n")


def _parser(argv: Sequence[str]) -> argparse.Namespace:
    parser = _Parser(prog="python -m reconcile", description=__doc__, epilog=_CODES)
    parser.add_argument("--version", action="version", version=f"reconcile {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    named = next((word for word in argv if word in COMMANDS), None)
    for name, (summary, declare, run) in COMMANDS.items():
        sub = commands.add_parser(name, help=summary, description=summary.capitalize() + ".")
        sub.set_defaults(run=run)
        # What the others take may need imports of theirs.
        if name == named:
            declare(sub)
    return parser.parse_args(argv)


def _spare(written: Path, read: Iterable[Path]) -> None:
    """Refuse to write where something is that the command reads.

    Args:
        written: file or folder to be written.
        read: files, and folders with all that is in them.

    Raises:
        InputError: it is one of these, under whatever name, or lies in such a folder.
    """
    for known in read:
        places = (written, *(written.absolute().parents if known.is_dir() else ()))
        with suppress(OSError, ValueError):  # what is not there, or has no such name
            if any(place.exists() and place.samefile(known) for place in places):
                raise InputError.of(written, f"{known} is read here; write it elsewhere")


def _declare_new(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "path", help="name of the study, like mypaper, or a folder for it, like papers/mypaper"
    )
    parser.add_argument(
        "--studies",
        type=Path,
        default=Path("studies"),
        help="where a study that is given by name goes. Default: %(default)s",
    )
    parser.add_argument(
        "--repository",
        action="store_true",
        help="write a repository of the paper's own with the study in it",
    )
    parser.add_argument("--study", help="name of the study in it, where not the repository's")
    parser.add_argument(
        "--workflow",
        metavar="WHERE",
        help="what it runs: OWNER/NAME on GitHub, or the folder of a checkout; "
        "default: where this library is from",
    )


def _new(args: argparse.Namespace) -> int:
    from reconcile.study.skeleton import new_repository, new_study, study_folder

    if args.repository:
        folder = new_repository(Path(args.path), args.study, args.workflow)
        print(f"{folder}: a repository; now: cd {shlex.quote(str(folder))} && snakemake")
        return 0
    if args.study or args.workflow:
        raise InputError.of(Path("new"), "--study and --workflow need --repository")
    folder = new_study(study_folder(args.path, args.studies))
    there = folder.parent == Path("studies")
    now = f"snakemake --config studies=[{folder.name}]" if there else f"reconcile check {folder}"
    print(f"{folder}: study.yaml and network.py; now: {now}")
    return 0


def _declare_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("study", type=Path, nargs="+", help="folder of a study")


def _check_studies(args: argparse.Namespace) -> int:
    from reconcile.study.load import load_study

    faults: list[Fault] = []
    for folder in args.study:
        try:
            study = load_study(folder)
        except InputError as error:
            faults.extend(error.faults)
            continue
        print(f"{folder}: {len(study.claims)} claims, {len(study.interpretations)} interpretations")
    if faults:
        raise InputError(*faults)
    return 0


def _declare_explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("number", help='as it is printed: 307M, "253,440", "4.1 GFLOPs"')
    parser.add_argument(
        "network", help="package.module:name, file.py:Class or the folder of a study; its code runs"
    )
    parser.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="SIZES",
        help="what the network is given, without the batch: 3x224x224, 128:int64; once for each",
    )
    parser.add_argument(
        "--with",
        action="append",
        default=[],
        dest="arguments",
        metavar="NAME=VALUE",
        help="an argument of what makes the network; once for each",
    )
    parser.add_argument(
        "--most", type=int, default=10, help="explanations to show. Default: %(default)s"
    )
    parser.add_argument("--json", action="store_true", help="write JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page there as well")
    parser.add_argument("--study", metavar="PATH", help="write a study that starts from it there")


def _explain(args: argparse.Namespace) -> int:
    """0 if something gives the number, else 1."""
    from reconcile.explain.asking import counted, files_of, networks_asked, number_asked, refused
    from reconcile.explain.ranking import as_json, explained, lines, sized_for

    if args.most < 1:
        raise refused("--most", "must be 1 or more")
    printed, quantity = number_asked(args.number)
    asked = networks_asked(args.network, args.arguments, args.input)
    if args.html:
        _spare(args.html, files_of(args.network))
    # Other sizes of the image are tried for one network only, and only where nothing plain fits.
    alone = len(asked) == 1
    networks = counted(asked, lambda one: sized_for(one, printed, quantity) if alone else None)
    answered = explained(networks, printed, quantity)
    if args.study:
        _begin_study(args.study, networks[0].named, answered)
    if args.html:
        write_text(args.html, _explanation(args, answered))
    if args.json:
        print(json_text(as_json(answered, args.most)), end="")
    else:
        print("\n".join(lines(answered, args.most)))
    return 0 if answered.found else 1


def _explanation(args: argparse.Namespace, answered: Answered) -> str:
    from reconcile.explain.ranking import page_context
    from reconcile.report.pages import render_explanation

    named = [f"--with {text}" for text in args.arguments] + [f"--input {t}" for t in args.input]
    network = " ".join([args.network, *named])
    return render_explanation(page_context(answered, network, args.most))


def _begin_study(path: str, asked: AskedNetwork, answered: Answered) -> None:
    from reconcile.explain.asking import refused
    from reconcile.explain.ranking import study_begun
    from reconcile.study.skeleton import study_folder

    if asked.reading:
        raise refused("--study", "the network is a study's already")
    folder = study_begun(study_folder(path, Path("studies")), asked, answered)
    print(f"{folder}: study.yaml; now: reconcile check {folder}", file=sys.stderr)


def _declare_measure(parser: argparse.ArgumentParser) -> None:
    from reconcile.study.settings import Measuring

    parser.add_argument("study", type=Path, help="folder of the study")
    parser.add_argument("out", type=Path, help="folder for the tables and the record")
    defaults = Measuring()
    for name, field in Measuring.model_fields.items():
        default = getattr(defaults, name)
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=_listed if isinstance(default, list) else _number_or_text,
            default=default,
            help=f"{field.description} Default: {default}",
        )


def _number_or_text(text: str) -> int | float | str:
    """What an option says; whether it may is for the checks that the configuration goes through."""
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text


def _listed(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _measure(args: argparse.Namespace) -> int:
    from reconcile.measure.process import MeasureError
    from reconcile.measure.run import measure_study
    from reconcile.study.config import check_config
    from reconcile.study.load import load_study
    from reconcile.study.plan import plan_of
    from reconcile.study.settings import Measuring

    given = {name: getattr(args, name) for name in Measuring.model_fields}
    settings = check_config({"measure": given}, "the command line").measure
    study = load_study(args.study)
    _spare(args.out, [args.study])
    plan = args.out / "interpretations.json"
    write_json(plan, plan_of(study, args.study.resolve().name))
    try:
        measure_study(plan, args.study, args.out, settings, root=args.study.parent.parent)
    except MeasureError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _declare_verify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("archive", type=Path, help="the .crate.zip file")
    parser.add_argument(
        "--rerun",
        action="store_true",
        help="measure again on this machine; this EXECUTES the archive's network code",
    )
    parser.add_argument(
        "--device", choices=("auto", "cuda", "cpu"), default="auto", help="where to measure again"
    )
    parser.add_argument(
        "--no-pdf", action="store_true", help="leave out report.pdf, which takes longest to compare"
    )
    parser.add_argument("--by", help="who verifies, for the receipt")
    parser.add_argument(
        "--receipt", type=Path, help=f"the receipt to write (default: {RECEIPT} beside the archive)"
    )


def _verify(args: argparse.Namespace) -> int:
    from reconcile.archive.container import ArchiveError
    from reconcile.archive.verify import receipt, verify_archive

    target = args.receipt or args.archive.parent / RECEIPT
    _spare(target, [args.archive])
    if args.rerun:
        print("--rerun executes network code from the archive on this machine", file=sys.stderr)
    try:
        device = args.device if args.rerun else None
        found = verify_archive(
            args.archive,
            pdf=not args.no_pdf,
            rerun=device,
            report=lambda line: print(line, file=sys.stderr, flush=True),
        )
    except ArchiveError as error:
        raise InputError.of(args.archive, str(error)) from None
    print("\n".join(_findings(found)))
    # Where it cannot be written, what was found stands all the same.
    try:
        write_json(target, receipt(found, args.by))
    except InputError as error:
        print(f"no receipt: {error}", file=sys.stderr)
    else:
        print(f"receipt: {visible(str(target))}")
    return EXIT_CODES[found.outcome]


def _findings(found: Verification) -> Iterator[str]:
    from reconcile.archive.crate import NOT_PROVABLE

    yield f"archive  {visible(found.file.name)}"
    yield f"sha256   {found.sha256}"
    if found.study is not None:
        written = ascii(found.version)[1:-1]
        yield f"study    {found.study}, written by reconcile {written}, read by {__version__}"
    width = max(len(check.name) for check in found.checks)
    for check in found.checks:
        yield f"{check.outcome:8} {check.name:{width}}  {_printable(check.detail)}"
    for latency in found.latencies:
        sides = f"{latency.archived or '-'} ms archived, {latency.here or '-'} ms here"
        yield f"{'latency':8} {latency.network}: {sides}"
    for left in found.not_compared:
        yield f"not compared: {_printable(left)}"
    yield f"not provable: {NOT_PROVABLE}"
    yield _LAST_LINES[found.outcome]


def _printable(text: str) -> str:
    """Text from an archive, unable to steer a terminal."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _declare_compare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("a", type=Path, help="one .crate.zip file")
    parser.add_argument("b", type=Path, help="the other")


def _compare(args: argparse.Namespace) -> int:
    """0 if measurements, verdicts and ranking are equal, else 1."""
    from reconcile.archive.compare import compare_archives
    from reconcile.archive.container import ArchiveError

    try:
        found = compare_archives(args.a, args.b)
    except ArchiveError as error:
        raise InputError(Fault(args.a, 0, "compare", str(error))) from None
    same_name = args.a.name == args.b.name
    labels = [str(file) if same_name else file.name for file in (args.a, args.b)]
    print("\n".join(aligned([(*COMPARED, *labels), *_differences(found)])))
    count = sum(map(len, found.differences.values())) + len(found.ranking)
    print(f"{found.compared:,} cells compared, {count:,} differ; latencies are not judged")
    return 0 if found.equal else 1


def _differences(found: Comparison) -> Iterator[tuple[str, ...]]:
    groups = {"record.json": found.circumstances, **found.differences}
    groups |= {"ranking": found.ranking, "timings.csv": found.latencies}
    for table, differences in groups.items():
        for difference in differences:
            yield (table, *("-" if value is None else _shortened(value) for value in difference))


def _shortened(value: str) -> str:
    text = _printable(value)
    return text if len(text) <= MAX_WIDTH else f"{text[: MAX_WIDTH - 3]}..."


def _declare_recover(parser: argparse.ArgumentParser) -> None:
    """There are no arguments: it is about the folder it is called in."""


def _recover(args: argparse.Namespace) -> int:
    from reconcile.run.processes import recover

    recover(Path.cwd())
    return 0


def _declare_schemas(parser: argparse.ArgumentParser) -> None:
    default = Path("workflow/schemas")
    said = "where to write them. Default: %(default)s"
    parser.add_argument("folder", type=Path, nargs="?", default=default, help=said)


def _schemas(args: argparse.Namespace) -> int:
    from reconcile.study.config import SCHEMAS, schema_text

    for name in SCHEMAS:
        write_text(args.folder / name, schema_text(name))
        print(args.folder / name)
    return 0


Declare = Callable[[argparse.ArgumentParser], None]
Run = Callable[[argparse.Namespace], int]
COMMANDS: dict[str, tuple[str, Declare, Run]] = {
    "new": ("write a small study that works, to start from", _declare_new, _new),
    "explain": (
        "show which countings of a network give a printed number",
        _declare_explain,
        _explain,
    ),
    "check": ("check study files without running anything", _declare_check, _check_studies),
    "measure": (
        "build, run and measure every interpretation of a study",
        _declare_measure,
        _measure,
    ),
    "verify": ("check an archive, executing nothing from it", _declare_verify, _verify),
    "recover": (
        "end what a killed run left running here and clear its lock",
        _declare_recover,
        _recover,
    ),
    "compare": (
        "show which measurements and verdicts differ between two archives",
        _declare_compare,
        _compare,
    ),
    "schemas": (
        "write the JSON Schemas of config.yaml and study.yaml, for editors",
        _declare_schemas,
        _schemas,
    ),
}
"""What each command does, how it declares its arguments, and how it runs."""
