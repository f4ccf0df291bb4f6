"""Trains the built-in model: draws pictures, trains the autoencoder and the U-Net, exports, trains the companions.

    python -m generation.builtin.training --work .training --out generation/builtin/weights

Every stage keeps its state in the work folder; running the command again goes on where it stopped. `--start` begins
with the weights of an exported folder instead of random ones; with `--vae-steps 0` its autoencoder stays as it is.
`--stage export` writes the pipeline folder of a training that is still under way. The companions are trained on what was
exported, and written to `companions/weights` beside the folder of `--out`.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers import AutoencoderKL

from generation.builtin.architecture import make_vae
from generation.builtin.companions.__main__ import NAMES, train_companions
from generation.builtin.training.autoencoder import train_vae
from generation.builtin.training.decoder import tune_decoder
from generation.builtin.training.denoiser import Denoiser, make_training_set, train_unet
from generation.builtin.training.device import DEVICE
from generation.builtin.training.encode import as_input, encode_pictures, encode_pool
from generation.builtin.training.export import export_pipeline, preview_factors
from generation.builtin.training.pool import Part, draw_pool

STAGES = ("draw", "vae", "encode", "unet", "decoder", "export", "companions")
DEFAULT_OUT = Path(__file__).parents[1] / "weights"
PREVIEW_SAMPLE = 128


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path(".training"), help="folder for pictures and checkpoints")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, help="pipeline folder to write")
    parser.add_argument("--stage", choices=("all", *STAGES), default="all", help="run one stage only")
    parser.add_argument("--start", type=Path, help="pipeline folder to begin with, instead of from nothing")
    parser.add_argument("--pictures", type=int, default=20_000, help="how many pictures to draw")
    parser.add_argument("--vae-steps", type=int, default=10_000, help="of the autoencoder, 0.4 s each on 2 cores")
    parser.add_argument("--unet-steps", type=int, default=20_000, help="of the U-Net, 1.3 s each on 2 cores")
    parser.add_argument("--decoder-steps", type=int, default=4_000, help="of the decoder alone, 0.5 s each")
    parser.add_argument("--companion-steps", type=int, default=1_000, help="of each companion")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    return parser.parse_args()


def load_vae(work: Path) -> AutoencoderKL:
    """The autoencoder as the U-Net's training saw it, with its tuned decoder once there is one."""
    vae, tuned = make_vae(), work / "vae-tuned.pt"
    if tuned.exists():
        vae.load_state_dict(torch.load(tuned, map_location=DEVICE, weights_only=True)["modules"]["vae"])
    else:
        vae.load_state_dict(torch.load(work / "vae-even.pt", map_location=DEVICE, weights_only=True))
    vae.register_to_config(scaling_factor=1.0)
    return vae.to(DEVICE)


def export(work: Path, out: Path, pool: Sequence[Part]) -> None:
    """Writes the averaged weights of the last checkpoint as a pipeline folder."""
    vae, average = load_vae(work), Denoiser()
    average.load_state_dict(torch.load(work / "unet.pt", map_location=DEVICE, weights_only=True)["modules"]["average"])
    sample = pool[0].pictures[:PREVIEW_SAMPLE]
    latents = torch.from_numpy(encode_pictures(vae, sample)).float()
    preview = preview_factors(latents, as_input(sample).cpu() * 0.5 + 0.5)
    export_pipeline(out, vae.cpu(), average.unet, average.text_encoder, preview)


def trained_vae(work: Path) -> AutoencoderKL:
    """The autoencoder of the first stage."""
    vae = make_vae()
    vae.load_state_dict(torch.load(work / "vae.pt", map_location=DEVICE, weights_only=True)["modules"]["vae"])
    return vae.to(DEVICE)


def run_stage(stage: str, options: argparse.Namespace, pool: Sequence[Part]) -> None:
    """One stage; those before it must have run."""
    work, seed = options.work, options.seed
    match stage:
        case "vae":
            train_vae(work, pool[0].pictures, seed, options.vae_steps, options.start)
        case "encode":
            encode_pool(work, trained_vae(work), pool)
        case "unet":
            data = make_training_set(pool, encode_pool(work, make_vae().to(DEVICE), pool), seed)
            train_unet(work, data, seed, options.unet_steps, options.start)
        case "decoder":
            latents = encode_pool(work, make_vae().to(DEVICE), pool)[0]
            tune_decoder(work, load_vae(work), latents, pool[0].pictures, seed, options.decoder_steps)
        case "export":
            export(work, options.out, pool)
        case "companions":
            told = argparse.Namespace(
                work=work,
                weights=options.out,
                out=options.out.parent / "companions" / "weights",
                seed=seed,
                steps=options.companion_steps,
            )
            train_companions(NAMES, told, pool)


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
