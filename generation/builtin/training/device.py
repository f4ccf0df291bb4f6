"""Where training runs: on the GPU if there is one, in bfloat16 arithmetic either way."""

import torch

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
BATCH = 256 if DEVICE.type == "cuda" else 32
"""Pictures in a step of the U-Net; a GPU is so quick that fewer would leave it waiting for the next launch."""


def half_precision() -> torch.autocast:
    """A context in which networks compute in bfloat16; on processors that know it, about twice as fast."""
    return torch.autocast(DEVICE.type, torch.bfloat16)
