"""The last stage of training: the U-Net and the text encoder together, on latents encoded beforehand.

The U-Net predicts v (Salimans and Ho, arXiv:2202.00512). Steps of little noise count less (Hang et al.,
arXiv:2303.09556). One caption in ten is left out, for classifier-free guidance. A moving average is kept.
"""

import string
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTokenizer

from generation.builtin.architecture import make_scheduler, make_text_encoder, make_unet
from generation.builtin.captions import caption, misses_the_sun
from generation.builtin.drawing.scenes import Scene, Shape, Still, attributes, is_mirrorable
from generation.builtin.tokens import make_tokenizer
from generation.builtin.training.device import BATCH, DEVICE, half_precision
from generation.builtin.training.pool import Part
from generation.builtin.training.run import Run, make_optimisers
from generation.builtin.vocabulary import FILLER_WORDS

MATRIX_RATE, OTHER_RATE = 2e-3, 1e-3
"""The peak learning rates of Muon and of AdamW."""
WARM_UP_STEPS = 60
DECAY_SHARE = 0.35
"""The share of the steps in which the learning rate falls to nothing."""
ENDS = ("conv_in", "conv_out", "embedding", "time_emb_proj")
"""Layers that AdamW trains, since they begin or end the network or stand for single words."""
AVERAGE_DECAY = 0.995
CAPTIONS_EACH = 4
UNCAPTIONED = 0.1
STRANGE_WORDS = 0.12
"""How often a caption gets a made-up word, so that a word the model does not know is passed over."""
FILLER_WORDS_ADDED = 0.25
"""How often a caption gets a word that changes nothing, such as "cozy" or "very"."""
SIZE_BALANCE = 0.75
"""At 1, a picture size comes as often as the pool has pictures of it; at 0, all come equally often."""
VAGUE = 0.12
"""How often a colour goes unsaid, so that a prompt that leaves it open is not strange, and a thing is known in any."""
HARD = {
    "cat": 5, "dog": 5, "cactus": 3, "house": 4, "rocket": 4, "castle": 4, "boat": 3, "bicycle": 4, "balloon": 2,
    "bird": 2, "snowman": 2, "windmill": 2, "moon": 3, "rain": 3, "fog": 3, "hills": 2, "city": 2, "neon city": 3,
    "spring": 4, "winter": 2, "autumn": 2, "circle": 2, "pixel art": 3, "paper cut": 2, "sketch": 2, "neon": 2,
}  # fmt: skip
"""How many times a picture comes in each round, once if not here, by what it shows: these were worst at adherence."""
SUNLESS = 3
"""The same for a sunset or a dawn without the sun, so that "no sun" is understood."""
NOISE_BIAS = 0.6
"""Below 1, times of much noise come more often: there the words decide what the picture shows."""
WEIGHT_CAP = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPart:
    """Pictures of one size: latents (n, channels, rows, columns), token ids (n, CAPTIONS_EACH, tokens).

    `mirrorable` (n) says whether a picture may be mirrored. `round` has each picture's index at least once, hard ones
    several times.
    """

    latents: NDArray[np.float16]
    tokens: NDArray[np.int16]
    mirrorable: NDArray[np.bool_]
    round: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSet:
    """All parts, and the token ids of the empty prompt (tokens)."""

    parts: Sequence[TrainingPart]
    empty: NDArray[np.int16]


def strange_word(rng: Random) -> str:
    """A made-up word of four to nine letters."""
    return "".join(rng.choices(string.ascii_lowercase, k=rng.randint(4, 9)))


def left_vague(rng: Random, scene: Scene) -> Scene:
    """The scene as it is worded: now and then without the colour of a thing, a wall or a background."""
    if rng.random() > VAGUE:
        return scene
    match scene:
        case Still():
            return replace(scene, **{rng.choice(("colour", "wall")): ""})
        case Shape():
            return replace(scene, background="")
    return scene


def training_captions(rng: Random, scene: Scene) -> list[str]:
    """The wordings that one picture is trained with."""
    wordings = []
    for _ in range(CAPTIONS_EACH):
        words = caption(rng, left_vague(rng, scene)).split()
        if rng.random() < STRANGE_WORDS:
            words.insert(rng.randint(0, len(words)), strange_word(rng))
        if rng.random() < FILLER_WORDS_ADDED:
            words.insert(rng.randint(0, len(words)), rng.choice(FILLER_WORDS))
        wordings.append(" ".join(words))
    return wordings


def times_in_a_round(scene: Scene) -> int:
    """How many times a picture of the scene comes while one that is easy comes once."""
    shown = max(HARD.get(value, 1) for value in attributes(scene).values())
    return max(shown, SUNLESS) if misses_the_sun(scene) else shown


def make_training_set(pool: Sequence[Part], latents: Sequence[NDArray[np.float16]], seed: int) -> TrainingSet:
    """Captions for every picture, as token ids, beside its latents."""
    tokenizer = make_tokenizer()

    def ids(wordings: list[str]) -> NDArray[np.int16]:
        return np.asarray(tokenizer(wordings, padding="max_length", truncation=True).input_ids, np.int16)

    parts = []
    for part, encoded in zip(pool, latents, strict=True):
        rng = Random(f"{seed} {part.name}")
        scenes = [part.scene(index) for index in range(len(encoded))]
        wordings = [text for scene in scenes for text in training_captions(rng, scene)]
        parts.append(
            TrainingPart(
                latents=encoded,
                tokens=ids(wordings).reshape(len(encoded), CAPTIONS_EACH, -1),
                mirrorable=np.asarray([is_mirrorable(scene) for scene in scenes]),
                round=np.repeat(np.arange(len(scenes)), [times_in_a_round(scene) for scene in scenes]),
            )
        )
    return TrainingSet(parts=parts, empty=ids([""])[0])


def _shuffled(rng: np.random.Generator, indices: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Endless batches of indices; all that are given come before any comes again."""
    waiting = np.empty(0, np.int64)
    while True:
        while len(waiting) < BATCH:
            waiting = np.concatenate([waiting, rng.permutation(indices)])
        yield waiting[:BATCH]
        waiting = waiting[BATCH:]


def batches(rng: np.random.Generator, data: TrainingSet) -> Iterator[tuple[Tensor, Tensor]]:
    """Endless batches of latents of one size and token ids, mirrored and uncaptioned at random."""
    sizes = np.asarray([len(part.round) for part in data.parts], float) ** SIZE_BALANCE
    indices = [_shuffled(rng, part.round) for part in data.parts]
    while True:
        which = int(rng.choice(len(sizes), p=sizes / sizes.sum()))
        part, chosen = data.parts[which], next(indices[which])
        latents = torch.from_numpy(part.latents[chosen].astype(np.float32))
        mirrored = torch.from_numpy((rng.random(BATCH) < 0.5) & part.mirrorable[chosen])
        latents = torch.where(mirrored[:, None, None, None], latents.flip(3), latents)
        tokens = part.tokens[chosen, rng.integers(0, CAPTIONS_EACH, BATCH)].copy()
        tokens[rng.random(BATCH) < UNCAPTIONED] = data.empty
        yield (
            latents.to(DEVICE).contiguous(memory_format=torch.channels_last),
            torch.from_numpy(tokens.astype(np.int64)).to(DEVICE),
        )


class Denoiser(nn.Module):
    """The U-Net and the text encoder as one module, so that they share an optimiser and an average."""

    def __init__(self) -> None:
        super().__init__()
        self.unet = make_unet().to(memory_format=torch.channels_last)
        self.text_encoder = make_text_encoder(make_tokenizer())

    def forward(self, noisy: Tensor, times: Tensor, tokens: Tensor) -> Tensor:
        """The predicted v, shaped like `noisy`."""
        context = self.text_encoder(tokens)[0]
        predicted: Tensor = self.unet(noisy, times, context).sample
        return predicted


def denoising_loss(model: nn.Module, alphas: Tensor, latents: Tensor, tokens: Tensor) -> Tensor:
    """Squared error of v at times spread over the batch."""
    count = len(latents)
    spread = (torch.arange(count, device=DEVICE) + torch.rand(count, device=DEVICE)) / count
    times = (spread**NOISE_BIAS * len(alphas)).long().clamp(max=len(alphas) - 1)
    kept = alphas[times][:, None, None, None]
    noise = torch.randn_like(latents)
    noisy = kept.sqrt() * latents + (1 - kept).sqrt() * noise
    wanted = kept.sqrt() * noise - (1 - kept).sqrt() * latents
    with half_precision():
        predicted = model(noisy, times, tokens).float()
    weights = (WEIGHT_CAP * (1 - kept)).clamp(max=1.0)
    loss: Tensor = (weights * (predicted - wanted) ** 2).mean()
    return loss


def warm_up_and_decay(step: int, steps: int) -> float:
    """The learning rate's factor: a warm-up, a plateau, and a straight fall at the end."""
    return min(1.0, (step + 1) / WARM_UP_STEPS) * min(1.0, (1.0 - step / steps) / DECAY_SHARE)


@torch.no_grad()
def update_average(average: nn.Module, model: nn.Module, step: int) -> None:
    """Moves the average towards the model; quickly at first, so that early noise is forgotten."""
    decay = min(AVERAGE_DECAY, (1 + step) / (10 + step))
    for kept, current in zip(average.parameters(), model.parameters(), strict=True):
        kept.lerp_(current, 1.0 - decay)


@torch.no_grad()
def take_over(model: Denoiser, folder: Path) -> None:
    """Loads a pipeline folder's weights; a word keeps its meaning although its id may have changed."""
    unet = UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=torch.float32)
    encoder = CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=torch.float32)
    model.unet.load_state_dict(unet.state_dict())
    table = next(name for name in encoder.state_dict() if name.endswith("token_embedding.weight"))
    known = encoder.state_dict()
    old, own = known.pop(table), model.text_encoder.state_dict()[table]
    model.text_encoder.load_state_dict(known, strict=False)
    before = CLIPTokenizer.from_pretrained(folder / "tokenizer").get_vocab()
    for piece, row in make_tokenizer().get_vocab().items():
        if piece in before:
            own[row] = old[before[piece]]


def train_unet(folder: Path, data: TrainingSet, seed: int, steps: int, start: Path | None = None) -> Denoiser:
    """Trains until `steps` are done, earlier runs counted in; the averaged model.

    A new run begins with random weights, or with those of the pipeline folder `start`.
    """
    torch.manual_seed(seed)
    model = Denoiser()
    if start:
        take_over(model, start)
    average = deepcopy(model)
    run = Run(
        folder / "unet.pt",
        {"model": model, "average": average},
        make_optimisers(model, ENDS, MATRIX_RATE, OTHER_RATE, 0.01),
    )
    torch.manual_seed(seed + run.step)
    alphas = make_scheduler().alphas_cumprod.to(DEVICE)
    feed = batches(np.random.default_rng((seed, run.step)), data)
    run.go_on(
        steps,
        lambda: denoising_loss(model, alphas, *next(feed)),
        warm_up_and_decay,
        lambda: update_average(average, model, run.step),
    )
    return average
