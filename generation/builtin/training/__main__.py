"""Trains the built-in model: draws pictures, trains the autoencoder and the U-Net, exports.

    python -m generation.builtin.training --work .training --out generation/builtin/weights

Every stage keeps its state in the work folder; running the command again goes on where it stopped. `--start` begins
with the weights of an exported folder instead of random ones. `--stage export` writes the pipeline folder of a
training that is still under way.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers import AutoencoderKL

from generation.builtin.architecture import make_vae
from generation.builtin.training.autoencoder import train_vae
from generation.builtin.training.decoder import tune_decoder
from generation.builtin.training.denoiser import Denoiser, make_training_set, train_unet
from generation.builtin.training.encode import as_input, encode_pictures, encode_pool
from generation.builtin.training.export import export_pipeline, preview_factors
from generation.builtin.training.pool import Part, draw_pool

STAGES = ("draw", "vae", "encode", "unet", "decoder", "export")
DEFAULT_OUT = Path(__file__).parents[1] / "weights"
PREVIEW_SAMPLE = 128


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--work", type=Path, default=Path(".training"), help="folder for pictures and checkpoints"
    )
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, help="pipeline folder to write")
    parser.add_argument("--stage", choices=("all", *STAGES), default="all", help="run one stage only")
    parser.add_argument("--start", type=Path, help="pipeline folder to begin with, instead of from nothing")
    parser.add_argument("--pictures", type=int, default=20_000, help="how many pictures to draw")
    parser.add_argument("--vae-minutes", type=float, default=16.0, help="training time of the autoencoder")
    parser.add_argument("--unet-minutes", type=float, default=75.0, help="training time of the U-Net")
    parser.add_argument(
        "--decoder-minutes", type=float, default=6.0, help="last training of the decoder alone"
    )
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    return parser.parse_args()


def load_vae(work: Path) -> AutoencoderKL:
    """The autoencoder as the U-Net's training saw it, with its tuned decoder once there is one."""
    vae, tuned = make_vae(), work / "vae-tuned.pt"
    vae.load_state_dict(torch.load(tuned if tuned.exists() else work / "vae-even.pt", weights_only=True))
    vae.register_to_config(scaling_factor=1.0)
    return vae


def export(work: Path, out: Path, pool: Sequence[Part]) -> None:
    """Writes the averaged weights of the last checkpoint as a pipeline folder."""
    vae, average = load_vae(work), Denoiser()
    average.load_state_dict(torch.load(work / "unet.pt", weights_only=True)["average"])
    sample = pool[0].pictures[:PREVIEW_SAMPLE]
    latents = torch.from_numpy(encode_pictures(vae, sample)).float()
    preview = preview_factors(latents, as_input(sample) * 0.5 + 0.5)
    export_pipeline(out, vae, average.unet, average.text_encoder, preview)


def trained_vae(work: Path) -> AutoencoderKL:
    """The autoencoder of the first stage."""
    vae = make_vae()
    vae.load_state_dict(torch.load(work / "vae.pt", weights_only=True)["vae"])
    return vae


def run_stage(stage: str, options: argparse.Namespace, pool: Sequence[Part]) -> None:
    """One stage; those before it must have run."""
    work, seed = options.work, options.seed
    match stage:
        case "vae":
            train_vae(work, pool[0].pictures, seed, options.vae_minutes, options.start)
        case "encode":
            encode_pool(work, trained_vae(work), pool)
        case "unet":
            data = make_training_set(pool, encode_pool(work, make_vae(), pool), seed)
            train_unet(work, data, seed, options.unet_minutes, options.start)
        case "decoder":
            latents = encode_pool(work, make_vae(), pool)[0]
            tune_decoder(work, load_vae(work), latents, pool[0].pictures, seed, options.decoder_minutes)
        case "export":
            export(work, options.out, pool)


def main() -> None:
    """Runs the stages that were asked for, in order."""
    options = parse_arguments()
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    pool = draw_pool(options.work, options.seed, options.pictures)
    for stage in STAGES if options.stage == "all" else (options.stage,):
        run_stage(stage, options, pool)


if __name__ == "__main__":
    main()
