"""`python -m tests.crash --rounds 100 --seed 1`: lay siege to the bot and print what came of it."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.crash.siege import Kill, Siege, lay


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100, help="how many kills (100)")
    parser.add_argument("--real", type=int, default=3, help="how many of them with the built-in model (3)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments and the wishes (1)")
    parser.add_argument("--folder", type=Path, help="keep everything here; it must be empty or not exist")
    asked = parser.parse_args()
    if asked.folder and asked.folder.exists() and any(asked.folder.iterdir()):
        parser.error(f"{asked.folder} is not empty")
    with tempfile.TemporaryDirectory() as temporary:
        begun = time.monotonic()
        siege = lay(asked.folder or Path(temporary), rounds=asked.rounds, real=asked.real, seed=asked.seed, say=_say)
    _print(siege, time.monotonic() - begun)
    return 1 if siege.broken else 0


def _say(number: int, kill: Kill) -> None:
    print(f"kill {number + 1}: {kill.phase} for {kill.seconds:.2f} s", end="   \r", file=sys.stderr, flush=True)


def _print(siege: Siege, seconds: float) -> None:
    kills = siege.kills
    lives = sorted(kill.seconds for kill in kills)
    rows: dict[str, object] = {"kills": f"{len(kills)} in {seconds:.0f} s"}
    rows |= {f"  while {phase}": count for phase, count in siege.phases().most_common()}
    rows |= {
        "  of the bot alone": sum(kill.bot_only for kill in kills),
        "  with the built-in model": sum(kill.real for kill in kills),
        "  with jobs being drawn": siege.met("running"),
        "  with jobs being posted": siege.met("finished"),
        "  posted, and not yet recorded": siege.met("posted, not yet recorded"),
        "lives, seconds": f"{lives[0]:.2f} to {lives[-1]:.2f}, median {statistics.median(lives):.2f}",
    }
    rows |= siege.figures
    rows["broken promises"] = len(siege.broken)
    for name, value in rows.items():
        print(f"{name:<32}{value:>24}")
    for one in siege.broken:
        print(f"- {one}")


if __name__ == "__main__":
    sys.exit(main())
