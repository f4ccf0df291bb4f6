"""Trains the companions of the built-in model and exports them; the model itself stands still.

It is the last stage of `python -m generation.builtin.training`, and a command of its own for one of them or other steps:

    python -m generation.builtin.companions all --work .training --steps 1000

The work folder is that of the model's own training: its pictures and latents are used again. Each companion keeps its
state there; running the command again goes on where it stopped, and begins anew once the U-Net is another.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from generation.builtin.companions.base import encode_once, fingerprint, load_base, load_vae
from generation.builtin.companions.controlnet import EdgeControl
from generation.builtin.companions.image_prompt import ImagePrompt
from generation.builtin.companions.loop import Companion, train
from generation.builtin.companions.lora import StyleLora, make_glass_set
from generation.builtin.training.denoiser import TrainingSet, make_training_set
from generation.builtin.training.pool import Part, draw_pool

NAMES = (StyleLora.name, EdgeControl.name, ImagePrompt.name)
BUILTIN = Path(__file__).parents[1]


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("companion", choices=(*NAMES, "all"))
    parser.add_argument("--work", type=Path, default=Path(".training"), help="folder for pictures and checkpoints")
    parser.add_argument("--weights", type=Path, default=BUILTIN / "weights", help="the model's pipeline folder")
    parser.add_argument("--out", type=Path, default=BUILTIN / "companions" / "weights", help="folder to write")
    parser.add_argument("--steps", type=int, default=1_000, help="of each companion")
    parser.add_argument(
        "--pictures", type=int, default=0, help="draw this many where fewer are there; 0: take what is there"
    )
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    if not options.pictures and not any(options.work.glob("pictures-*.done")):
        parser.error(f"no pictures in {options.work}: give the work folder of a training, or --pictures")
    return options


def pool_set(work: Path, folder: Path, weights: Path, pool: Sequence[Part], seed: int) -> TrainingSet:
    """Latents and captions of the pool; the latents of the model's own training where they fit its weights."""
    vae = load_vae(weights)
    latents = [
        encode_once(vae, part.pictures, [place / f"latents-{part.name}.npy" for place in (work, folder)])
        for part in pool
    ]
    return make_training_set(pool, latents, seed)


def make_companion(name: str, options: argparse.Namespace, folder: Path, pool: Sequence[Part]) -> Companion:
    """The untrained companion with what it is trained on."""
    torch.manual_seed(options.seed)
    base = load_base(options.weights)
    if name == StyleLora.name:
        return StyleLora(base, make_glass_set(folder, load_vae(options.weights), pool[0], options.seed))
    data = pool_set(options.work, folder, options.weights, pool, options.seed)
    return (EdgeControl if name == EdgeControl.name else ImagePrompt)(base, data, pool)


def train_companions(names: Sequence[str], options: argparse.Namespace, pool: Sequence[Part]) -> None:
    """Trains and exports the named ones; of the options it reads `work`, `weights`, `out`, `seed` and `steps`."""
    folder = options.work / f"companions-{fingerprint(options.weights)}"
    for path in (folder, options.out):
        path.mkdir(parents=True, exist_ok=True)
    for name in names:
        companion = make_companion(name, options, folder, pool)
        train(folder, companion, options.seed, options.steps)
        for path in companion.export(options.out):
            path.chmod(0o644)
            print(f"{path}  {path.stat().st_size:,} bytes", flush=True)


def main() -> None:
    """Trains and exports what was asked for."""
    options = parse_arguments()
    torch.set_num_threads(options.threads)
    pool = draw_pool(options.work, options.seed, options.pictures)
    train_companions(NAMES if options.companion == "all" else (options.companion,), options, pool)


if __name__ == "__main__":
    main()
