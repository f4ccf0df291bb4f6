"""How well the model draws what a newcomer types: fixed wordings by hand, with what each asks for.

The captions of training are made of patterns; here words come in any order, with capitals, requests, full stops, and
synonyms that only the bot's vocabulary knows.
"""

from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from generation.builtin.evaluation.adherence import LOWEST_TARGET, TARGET, save_wrong, wrong
from generation.builtin.evaluation.generate import Sampling, Wish, generate, load_pipeline
from generation.builtin.evaluation.probe import Probe
from generation.builtin.evaluation.tables import Figure, at_least, share
from generation.builtin.evaluation.tally import tally
from generation.builtin.vocabulary import as_told

EXAMPLES: dict[str, Mapping[str, str]] = {
    "a sunset over a mountain lake": {"time": "sunset", "ground": "mountains", "water": "lake"},
    "a red bicycle leaning against a blue wall": {"thing": "bicycle", "colour": "red", "wall": "blue"},
    "a cat standing by the seaside at sunset": {"thing": "cat", "water": "sea", "time": "sunset"},
    "a cyberpunk city at sunset": {"ground": "neon city", "time": "sunset"},
}
"""What guides to the field give as examples."""

WORDINGS: dict[str, Mapping[str, str]] = {
    "Draw me a house by a lake at night": {"thing": "house", "water": "lake", "time": "night"},
    "a boat, red, on the ocean at night": {"thing": "boat", "colour": "red", "water": "sea", "time": "night"},
    "dusk, sea, sailboat": {"time": "sunset", "water": "sea", "thing": "boat"},
    "snowy mountains in the morning": {"ground": "mountains", "time": "dawn"},
    "I want a picture of a lighthouse on the coast in heavy rain": {
        "thing": "lighthouse", "water": "sea", "weather": "rain", "time": "day",
    },
    "foggy forest": {"weather": "fog", "ground": "forest", "time": "day"},
    "Autumn forest with a river through it": {
        "season": "autumn", "ground": "forest", "water": "river", "time": "day",
    },
    "desert at noon with a cactus": {"ground": "desert", "thing": "cactus", "time": "day"},
    "hot air balloon above green hills at sunrise": {"thing": "balloon", "ground": "hills", "time": "dawn"},
    "a full moon over the ocean at midnight": {"luminary": "moon", "water": "sea", "time": "night"},
    "a castle by a mountain lake under the moon": {
        "thing": "castle", "ground": "mountains", "water": "lake", "luminary": "moon", "time": "night",
    },
    "a boat on the sea in the moonlight": {"thing": "boat", "water": "sea", "luminary": "moon", "time": "night"},
    "a volcano erupting at night": {"ground": "volcano", "time": "night"},
    "tropical island, palm trees, sunny day": {"ground": "island", "water": "sea", "time": "day"},
    "city skyline at dusk": {"ground": "city", "time": "sunset"},
    "futuristic city in the rain by night": {"ground": "neon city", "weather": "rain", "time": "night"},
    "a snowman in the woods in winter": {"thing": "snowman", "ground": "forest", "season": "winter"},
    "It's snowing on a little cottage in the mountains": {
        "weather": "snow", "thing": "house", "ground": "mountains", "time": "day",
    },
    "rainbow over a meadow": {"weather": "rainbow", "ground": "field", "time": "day"},
    "a kitten at the beach in the evening": {"thing": "cat", "water": "sea", "time": "sunset"},
    "puppy in a field of grass": {"thing": "dog", "ground": "field", "time": "day"},
    "a windmill on a hill at daybreak": {"thing": "windmill", "ground": "hills", "time": "dawn"},
    "medieval fortress, hills, cloudy sky": {
        "thing": "castle", "ground": "hills", "weather": "clouds", "time": "day",
    },
    "blue car in front of the city at night": {
        "thing": "car", "colour": "blue", "ground": "city", "time": "night",
    },
    "a spaceship over the desert under the stars": {"thing": "rocket", "ground": "desert", "time": "night"},
    "an orange tent near a stream in the hills, early morning": {
        "thing": "tent", "colour": "orange", "water": "river", "ground": "hills", "time": "dawn",
    },
    "lone oak on a hill, golden hour": {"thing": "tree", "ground": "hills", "time": "sunset"},
    "seagull above the waves": {"thing": "bird", "water": "sea", "time": "day"},
    "a yellow bike in the countryside": {
        "thing": "bicycle", "colour": "yellow", "ground": "field", "time": "day",
    },
    "at night, in the forest, a white house": {
        "time": "night", "ground": "forest", "thing": "house", "colour": "white",
    },
    "lake with mountains behind it, misty": {
        "water": "lake", "ground": "mountains", "weather": "fog", "time": "day",
    },
    "stream in the hills in spring": {"water": "river", "ground": "hills", "season": "spring", "time": "day"},
    "thunderstorm at sea with a ship": {"weather": "rain", "water": "sea", "thing": "boat", "time": "day"},
    "a pink flower in the meadow at sundown": {
        "thing": "flower", "colour": "pink", "ground": "field", "time": "sunset",
    },
    "A castle. By the sea. At sunset.": {"thing": "castle", "water": "sea", "time": "sunset"},
    "sand dunes under an overcast sky": {"ground": "desert", "weather": "clouds", "time": "day"},
    "black cat in falling snow": {"thing": "cat", "colour": "black", "weather": "snow", "time": "day"},
    "skyscrapers downtown in the fog": {"ground": "city", "weather": "fog", "time": "day"},
    "winter meadow at twilight": {"season": "winter", "ground": "field", "time": "sunset"},
    "the sun over the mountains by day": {"luminary": "sun", "ground": "mountains", "time": "day"},
    "yacht on a lake at nightfall": {"thing": "boat", "water": "lake", "time": "sunset"},
    "please show the stars over a mountain lake": {"time": "night", "ground": "mountains", "water": "lake"},
    "a brown dog before a green wall": {"thing": "dog", "colour": "brown", "wall": "green"},
    "yellow car, blue wall": {"thing": "car", "colour": "yellow", "wall": "blue"},
    "a black kitten sitting by a pink brick wall": {"thing": "cat", "colour": "black", "wall": "pink"},
    "a purple wall with a red bike leaning against it": {
        "wall": "purple", "thing": "bicycle", "colour": "red",
    },
    "There is a white house in front of an orange wall!": {
        "thing": "house", "colour": "white", "wall": "orange",
    },
    "red circle, blue background": {"shape": "circle", "colour": "red", "background": "blue", "count": "1"},
    "three yellow stars on black": {"shape": "star", "colour": "yellow", "background": "black", "count": "3"},
    "a tiny green square on white": {
        "shape": "square", "colour": "green", "background": "white", "size": "small",
    },
    "huge pink heart on a gray background": {
        "shape": "heart", "colour": "pink", "background": "gray", "size": "big",
    },
    "two blue triangles, yellow background": {
        "shape": "triangle", "colour": "blue", "background": "yellow", "count": "2",
    },
    "on a turquoise background, a black diamond": {
        "shape": "diamond", "colour": "black", "background": "turquoise", "count": "1",
    },
    "a white ball on the left of a red background": {
        "shape": "circle", "colour": "white", "background": "red", "place": "left",
    },
    "green star at the bottom, yellow background": {
        "shape": "star", "colour": "green", "background": "yellow", "place": "below",
    },
    "4 orange hearts against a brown background": {
        "shape": "heart", "colour": "orange", "background": "brown", "count": "4",
    },
    "watercolor painting of hills in spring": {
        "style": "watercolor", "ground": "hills", "season": "spring", "time": "day",
    },
    "a castle at night, pixelart": {"style": "pixel art", "thing": "castle", "time": "night"},
    "pencil sketch: a house in the mountains": {"style": "sketch", "thing": "house", "ground": "mountains"},
    "the sea at sunset painted in oil": {"style": "oil", "water": "sea", "time": "sunset"},
    "papercut of a forest at night": {"style": "paper cut", "ground": "forest", "time": "night"},
    "a sailboat on the ocean, neon art": {"style": "neon", "thing": "boat", "water": "sea"},
    "retro 8-bit game art of a desert with a cactus": {
        "style": "pixel art", "ground": "desert", "thing": "cactus", "time": "day",
    },
}  # fmt: skip
"""What goes unsaid is ordinary: by day, and in no style."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A wording as it was typed, what it asks for, and the wish as the bot words it for the model."""

    typed: str
    attributes: Mapping[str, str]
    wish: Wish


def choose_wishes(seed: int, each: int, each_example: int) -> list[Asked]:
    """Every wording with `each` seeds, the guides' examples with `each_example`."""
    chosen: list[Asked] = []
    for group, count in ((EXAMPLES, each_example), (WORDINGS, each)):
        for typed, attributes in group.items():
            for _ in range(count):
                wish = Wish(prompt=as_told(typed), seed=seed + len(chosen))
                chosen.append(Asked(typed=typed, attributes={"style": "", **attributes}, wish=wish))
    return chosen


def summarise(chosen: Sequence[Asked], readings: Sequence[Mapping[str, str]]) -> list[Figure]:
    """The figures over all wordings, then each example's; the targets are those of adherence."""
    counted = tally([asked.attributes for asked in chosen], readings)
    counted.print(LOWEST_TARGET)
    name, lowest = counted.lowest()
    pairs = list(zip(chosen, readings, strict=True))
    perfect = sum(not wrong(asked.attributes, reading) for asked, reading in pairs)
    figures = [
        at_least("wordings by hand", counted.percent(), TARGET),
        at_least(f"lowest attribute: {name}", lowest, LOWEST_TARGET),
        Figure(what="pictures without a fault", measured=f"{share(perfect, len(pairs)):.1f} %"),
    ]
    for typed in EXAMPLES:
        own = [(asked.attributes, reading) for asked, reading in pairs if asked.typed == typed]
        percent = tally(*zip(*own, strict=True)).percent()
        figures.append(at_least(f'"{typed}"', percent, LOWEST_TARGET))
    return figures


def run(options: Namespace) -> list[Figure]:
    """The command `wordings`."""
    pipeline, probe = load_pipeline(options.weights), Probe.load()
    chosen = choose_wishes(options.seed, options.each, options.each_example)
    pictures = generate(pipeline, [asked.wish for asked in chosen], Sampling(batch=options.batch))
    readings = probe.read(pictures)
    save_wrong(
        [asked.attributes for asked in chosen],
        [asked.typed for asked in chosen],
        pictures,
        readings,
        options.work / "wordings-wrong.png",
    )
    return summarise(chosen, readings)
