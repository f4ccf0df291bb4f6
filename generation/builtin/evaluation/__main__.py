"""Measures the built-in model against its targets.

    python -m generation.builtin.evaluation reading
    python -m generation.builtin.evaluation adherence --prompts 1000

The probe reads pictures for `adherence` and `control`. It was trained once, on the pool of training pictures, by
`probe`, which writes it anew; `reading` tests it as it is.
The exit status is 1 when a target was missed.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import sys
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

import torch

from generation.builtin.evaluation import (
    adherence,
    autoencoder,
    companions,
    control,
    cost,
    probe_training,
    sheet,
    wordings,
)
from generation.builtin.evaluation.generate import Sampling
from generation.builtin.evaluation.tables import print_figures

WEIGHTS = Path(__file__).parents[1] / "weights"
COMPANIONS = Path(__file__).parents[1] / "companions" / "weights"
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

SEED = 1_000_003
"""Far from any seed that training uses."""
POOL_SEED = 7


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m generation.builtin.evaluation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_probe(commands)
    _add_adherence(commands)
    wordings_parser = _add(commands, "wordings", wordings, "does it draw what a newcomer types?")
    wordings_parser.add_argument("--each", type=int, default=2, help="seeds for each wording")
    wordings_parser.add_argument("--each-example", type=int, default=8, help="seeds for each guide's example")
    _add(commands, "cost", cost, "size, loading, four pictures")
    control_parser = _add(commands, "control", control, "negatives, guidance, image-to-image, masks, seeds")
    control_parser.add_argument("--prompts", type=int, default=32, help="pictures for each measurement")
    control_parser.add_argument(
        "--only", nargs="+", choices=control.MEASUREMENTS, help="measure these alone, each name in quotes"
    )
    companions_parser = _add(commands, "companions", companions, "the LoRA, the ControlNet, the image prompt")
    companions_parser.add_argument("--prompts", type=int, default=24, help="pictures for each of them")
    companions_parser.add_argument("--companions", type=Path, default=COMPANIONS, help="folder of their weights")
    autoencoder_parser = _add(commands, "autoencoder", autoencoder, "PSNR of restored pictures")
    autoencoder_parser.add_argument("--pictures", type=int, default=200, help="how many fresh ones to draw")
    sheet_parser = _add(commands, "sheet", sheet, "a contact sheet of 64 fixed prompts")
    sheet_parser.add_argument("--out", type=Path, default=Path("docs/builtin-sheet.jpg"), help="JPEG to write")
    return parser.parse_args(arguments)


def _add(commands: Commands, name: str, module: ModuleType, text: str) -> argparse.ArgumentParser:
    """A command with the options that all have."""
    parser = commands.add_parser(name, help=text, description=module.__doc__)
    parser.set_defaults(run=module.run)
    parser.add_argument("--seed", type=int, default=SEED, help="of scenes, wordings and noise")
    parser.add_argument("--work", type=Path, default=Path(".training"), help="folder of the training")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="pipeline folder to measure")
    parser.add_argument("--batch", type=int, default=12, help="pictures to generate at once")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    return parser


def _add_probe(commands: Commands) -> None:
    parser = _add(commands, "probe", probe_training, "train the probe, or go on with it, and test it")
    parser.add_argument("--steps", type=int, default=6000, help="of training, earlier runs counted in")
    parser.add_argument("--pictures", type=int, default=20_000, help="size of the pool, drawn where it is missing")
    reading = _add(commands, "reading", probe_training, "test the probe as it is shipped")
    reading.set_defaults(run=probe_training.run_reading)
    for each in (parser, reading):
        each.add_argument("--pool-seed", type=int, default=POOL_SEED, help="the seed that drew the pool")
        each.add_argument("--fresh", type=int, default=probe_training.FRESH_PICTURES, help="new pictures to test it on")


def _add_adherence(commands: Commands) -> None:
    parser = _add(commands, "adherence", adherence, "does the picture show what the prompt says?")
    parser.add_argument("--prompts", type=int, default=1000, help="how many pictures to draw")
    parser.add_argument("--held-out", action="store_true", help="ask for what training never showed together")
    parser.add_argument("--all-sizes", action="store_true", help="all trained sizes, not 256x256 alone")
    parser.add_argument("--steps", type=int, default=Sampling().steps)
    parser.add_argument("--guidance", type=float, default=Sampling().guidance)


def main() -> int:
    """Runs the command and prints its figures."""
    options = parse_arguments()
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    figures = options.run(options)
    print_figures(figures)
    return int(any(figure.met is False for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
