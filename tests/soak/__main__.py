"""`python -m tests.soak --jobs 2000 --seed 1`: soak the bot, and say of each promise whether it was kept."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from tests.soak import audit
from tests.soak.faults import Kind
from tests.soak.run import run
from tests.soak.state import Plan, Soak, Stuck, make


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--jobs", type=int, default=2000, help="how many jobs are to be accepted (2000)")
    parser.add_argument("--seed", type=int, default=1, help="of faults, wishes and pictures (1)")
    parser.add_argument("--faults", type=float, default=0.15, help="how likely a request meets one (0.15)")
    parser.add_argument("--drops", type=float, default=15, help="seconds between breaks of the gateway (15)")
    parser.add_argument("--pace", type=float, default=14, help="wishes in a second (14)")
    parser.add_argument("--patience", type=float, default=240, help="seconds to put right what is left (240)")
    parser.add_argument("--restarts", type=int, default=0, help="how often the bot is stopped and started (0)")
    parser.add_argument("--at-login", action="store_true", help="faults begin before the bot has logged in")
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        choices=[kind.name.lower() for kind in Kind],
        help="never this fault",
    )
    parser.add_argument("--folder", type=Path, help="keep everything here; it must be empty or not exist")
    asked = parser.parse_args()
    if asked.folder and asked.folder.exists() and any(asked.folder.iterdir()):
        parser.error(f"{asked.folder} is not empty")
    with tempfile.TemporaryDirectory() as temporary:
        soak = make(
            Plan(
                folder=asked.folder or Path(temporary),
                jobs=asked.jobs,
                seed=asked.seed,
                faults=asked.faults,
                drops=asked.drops,
                pace=asked.pace,
                patience=asked.patience,
                restarts=asked.restarts,
                at_login=asked.at_login,
                without=frozenset(Kind[name.upper()] for name in asked.without),
            )
        )
        try:
            asyncio.run(run(soak, say=_say))
        except Stuck as stuck:
            print(f"BROKEN  {stuck}")
            return 1
        _keep(soak)
        return _print(soak)


def _say(soak: Soak) -> None:
    print(
        f"{soak.accepted} jobs, {soak.owed} under way, {soak.weather.met.total()} faults",
        end="   \r",
        file=sys.stderr,
        flush=True,
    )


def _keep(soak: Soak) -> None:
    """Leave what Discord took and what people asked for beside the log, to look into a broken promise."""
    with (soak.plan.folder / "discord.jsonl").open("w") as file:
        for line in soak.town.record.lines:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    with (soak.plan.folder / "wishes.txt").open("w") as file:
        file.writelines(f"{wish}\n" for wish in soak.people.wishes)


def _print(soak: Soak) -> int:
    promises = audit.look(soak)
    print(f"{soak.accepted} jobs in {soak.seconds:.0f} s, seed {soak.plan.seed}; {len(soak.people.wishes)} wishes")
    for what, count in [*soak.weather.met.most_common(), *soak.gateway.met.most_common()]:
        print(f"        {what:<48}{count}")
    for promise in promises:
        print(promise)
    return 1 if any(promise.broken for promise in promises) else 0


if __name__ == "__main__":
    sys.exit(main())
