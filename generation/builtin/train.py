"""Trains the built-in model from nothing: draws pictures, trains the autoencoder and the U-Net, exports.

    python -m generation.builtin.train --work .training --out generation/builtin/weights

Every stage keeps its state in the work folder; running the command again goes on where it stopped.
`--stage export` writes the pipeline folder of a training that is still under way.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
from pathlib import Path

import torch
from diffusers import AutoencoderKL

from generation.builtin.architecture import make_vae
from generation.builtin.encode import as_input, encode_pictures, encode_pool
from generation.builtin.export import export_pipeline, preview_factors
from generation.builtin.pool import Pictures, draw_pool
from generation.builtin.train_unet import Denoiser, make_training_set, train_unet
from generation.builtin.train_vae import train_vae
from generation.builtin.tune_decoder import tune_decoder

STAGES = ("draw", "vae", "encode", "unet", "decoder", "export")
DEFAULT_OUT = Path(__file__).parent / "weights"
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
    parser.add_argument("--pictures", type=int, default=12_000, help="how many pictures to draw")
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


def export(work: Path, out: Path, pictures: Pictures) -> None:
    """Writes the averaged weights of the last checkpoint as a pipeline folder."""
    vae, average = load_vae(work), Denoiser()
    average.load_state_dict(torch.load(work / "unet.pt", weights_only=True)["average"])
    sample = pictures[:PREVIEW_SAMPLE]
    latents = torch.from_numpy(encode_pictures(vae, sample)).float()
    preview = preview_factors(latents, as_input(sample) * 0.5 + 0.5)
    export_pipeline(out, vae, average.unet, average.text_encoder, preview)


def main() -> None:
    """Runs the stages that were asked for, in order."""
    options = parse_arguments()
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    wanted = STAGES if options.stage == "all" else (options.stage,)
    pictures = draw_pool(options.work, options.seed, options.pictures)
    if "vae" in wanted:
        train_vae(options.work, pictures, options.seed, options.vae_minutes)
    if "encode" in wanted:
        vae = make_vae()
        vae.load_state_dict(torch.load(options.work / "vae.pt", weights_only=True)["vae"])
        encode_pool(options.work, vae, pictures)
    if "unet" in wanted:
        data = make_training_set(encode_pool(options.work, make_vae(), pictures), options.seed)
        train_unet(options.work, data, options.seed, options.unet_minutes)
    if "decoder" in wanted:
        latents = encode_pool(options.work, make_vae(), pictures)
        tune_decoder(
            options.work, load_vae(options.work), latents, pictures, options.seed, options.decoder_minutes
        )
    if "export" in wanted:
        export(options.work, options.out, pictures)


if __name__ == "__main__":
    main()
