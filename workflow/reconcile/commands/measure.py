"""``python -m reconcile measure STUDY OUT``: measure a study on this machine, without Snakemake."""

from __future__ import annotations

import argparse
import sys
from dataclasses import fields
from pathlib import Path

from reconcile.config import Measuring
from reconcile.files import write_json
from reconcile.instantiate import plan_of
from reconcile.measure import MeasureError, Settings, measure_study
from reconcile.study import load_study

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments; defaults are those of config.yaml's schema."""
    parser.add_argument("study", type=Path, help="folder of the study")
    parser.add_argument("out", type=Path, help="folder for the tables and the record")
    defaults = Measuring()
    for name, field in Measuring.model_fields.items():
        default = getattr(defaults, name)
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=type(default),
            default=default,
            help=f"{field.description} Default: {default}",
        )


def run(args: argparse.Namespace) -> int:
    """Write interpretations.json, the measured tables and the record to the folder."""
    settings = Settings(**{field.name: getattr(args, field.name) for field in fields(Settings)})
    study = load_study(args.study)
    plan = args.out / "interpretations.json"
    write_json(plan, plan_of(study, args.study.resolve().name))
    try:
        measure_study(plan, args.study, args.out, settings, root=args.study.parent.parent)
    except MeasureError as error:
        print(error, file=sys.stderr)
        return 1
    return 0
