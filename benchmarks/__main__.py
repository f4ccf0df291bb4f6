"""Runs the benchmarks one after the other, each in a fresh process, and prints one table."""

from __future__ import annotations

import argparse
import os
import sys

from rich.console import Console
from rich.table import Table

from benchmarks.suite import NAMES, measure

VERDICTS = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}


def main() -> int:
    """Run what was asked for; the exit status is 1 when a target was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(NAMES)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, to see that it works")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(NAMES):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    console = Console()
    table = Table("What", "Measured", "Target", "Verdict", show_lines=True)
    missed = False
    for name in arguments.names or NAMES:
        with console.status(f"{name}…"):
            rows = measure(name, quick=arguments.quick)
        for row in rows:
            table.add_row(row.what, row.measured, row.target, VERDICTS[row.met])
        missed = missed or any(row.met is False for row in rows)
    console.print(table)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
