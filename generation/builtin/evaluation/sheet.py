"""The contact sheet: 64 fixed prompts that go once through the model's small world."""

from argparse import Namespace

from generation.builtin.evaluation.generate import Sampling, Wish, generate, load_pipeline
from generation.builtin.evaluation.layout import lay_out
from generation.builtin.evaluation.tables import Figure
from generation.builtin.vocabulary import as_told

COLUMNS = 8
QUALITY = 88

PROMPTS = (
    "a sunset over a mountain lake",
    "a red bicycle leaning against a blue wall",
    "a cat standing by the seaside at sunset",
    "a cyberpunk city at sunset",
    "a house by a lake on a sunny day",
    "a medieval castle in the hills at dawn",
    "a lighthouse by the sea at night with a full moon",
    "a windmill in a field in spring",
    "an orange tent in the forest at night",
    "a lone tree in a meadow in autumn",
    "a cactus in the desert at noon",
    "a red flower in a field on a sunny day",
    "a snowman in a winter forest",
    "a dog by the beach in the morning",
    "a yellow car in front of a city at night",
    "a white boat on the sea under a cloudy sky",
    "a red hot air balloon over the mountains at sunrise",
    "a bird flying over the ocean in daylight",
    "a rocket over the desert under a starry sky",
    "a black bicycle in the countryside in the evening",
    "a volcano with lava at night",
    "a tropical island with palm trees by day",
    "a city skyline at dusk",
    "a neon city in the rain at night",
    "a winding river through a forest in autumn colors",
    "a river in the mountains on a foggy day",
    "green hills under a rainbow",
    "a forest in winter at midnight with snowflakes",
    "the desert at sunset with the sun",
    "the sea in a storm",
    "a meadow in spring with a rainbow",
    "mountains in the fog at dawn",
    "a lake in the forest under the stars",
    "rolling hills in the fall at sunset",
    "a sailboat on the ocean at sunset",
    "a red house in the forest while it snows",
    "a castle by a mountain lake under the moon",
    "a black cat in front of a yellow wall",
    "a blue car in front of a white wall",
    "a pink flower against a gray wall",
    "a brown dog in front of a green wall",
    "an orange cat sitting by a turquoise wall",
    "a white house in front of a purple wall",
    "a red circle on a blue background",
    "a yellow star on a purple background",
    "a green triangle on a white background",
    "a pink heart on a black background",
    "a blue square on an orange background",
    "a turquoise diamond on a brown background",
    "two orange circles on a green background",
    "three white stars on a black background",
    "four red hearts on a pink background",
    "a small purple square on a yellow background",
    "a big blue star on a gray background",
    "a red diamond on the left on a white background",
    "a brown circle on the right side on a turquoise background",
    "a white heart at the top on a red background",
    "a gray triangle at the bottom on a yellow background",
    "a watercolor of a lake in the mountains",
    "pixel art of a castle at night",
    "a pencil sketch of a lighthouse by the sea",
    "a boat on a lake in the hills, glowing neon",
    "paper cut of a forest in winter",
    "an oil painting of a windmill in a field at sunset",
)


def run(options: Namespace) -> list[Figure]:
    """The command `sheet`."""
    wishes = [Wish(prompt=as_told(prompt), seed=options.seed + index) for index, prompt in enumerate(PROMPTS)]
    pictures = generate(load_pipeline(options.weights), wishes, Sampling(batch=options.batch))
    lay_out(pictures, PROMPTS, COLUMNS).save(options.out, quality=QUALITY)
    return [Figure(what="contact sheet", measured=str(options.out))]
