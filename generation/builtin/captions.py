"""Captions: the many ways to say what a scene shows. Uses only words of `vocabulary`."""

from random import Random

from generation.builtin.scenes import Landscape, Scene, Shape

_COLOURS = {
    "purple": ("purple", "purple", "violet"),
    "gray": ("gray", "grey"),
    "turquoise": ("turquoise", "teal", "cyan"),
}
_SHAPES = {
    "circle": ("circle", "circle", "circle", "disc", "ball", "dot"),
    "square": ("square", "square", "square", "box"),
}

_TIME_NOUNS = {
    "day": ("sunny day", "clear day", "bright day"),
    "dawn": ("sunrise", "sunrise", "dawn", "early morning"),
    "sunset": ("sunset", "sunset", "sunset", "dusk", "sundown"),
    "night": ("night", "starry night", "night sky", "starry sky", "moonlit night"),
}
_TIME_PHRASES = {
    "day": (
        "on a sunny day", "during the day", "at noon", "in daylight", "by day", "at midday",
        "in the afternoon", "under a blue sky", "under a clear sky", "in the daytime",
    ),
    "dawn": (
        "at dawn", "at sunrise", "in the morning", "at daybreak", "in the early morning",
        "in morning light",
    ),
    "sunset": (
        "at sunset", "at dusk", "in the evening", "at sundown", "at twilight", "during sunset",
        "at the golden hour", "under an orange sky",
    ),
    "night": (
        "at night", "at night", "by night", "at midnight", "under the stars", "under a starry sky",
        "in the moonlight", "at nighttime", "in the dark",
    ),
}  # fmt: skip
_GROUNDS = {
    "mountains": (
        "mountains", "the mountains", "mountain peaks", "snowy mountains", "a mountain", "a mountain range",
        "a mountain landscape", "a mountain peak", "mountain scenery", "alpine peaks",
    ),
    "hills": ("hills", "the hills", "green hills", "rolling hills", "a hill", "a valley"),
    "desert": (
        "a desert", "the desert", "sand dunes", "desert dunes", "a sand dune", "a desert landscape",
        "a sandy desert",
    ),
    "forest": (
        "a forest", "the forest", "the woods", "a pine forest", "pine trees", "woodland", "pines", "woods",
        "forest",
    ),
    "field": (
        "a field", "a meadow", "meadows", "the meadow", "grassland", "a green field", "a grass field",
        "the countryside", "the fields", "a plain",
    ),
}  # fmt: skip
_ADJECTIVES = {
    "mountains": "mountain",
    "hills": "hill",
    "desert": "desert",
    "forest": "forest",
    "field": "meadow",
}
_LAKES = (
    "lake",
    "lake",
    "lake",
    "lake",
    "lake",
    "pond",
    "pond",
    "lakeside",
)
_SEAS = (
    "the sea", "the sea", "the sea", "the ocean", "the ocean", "the ocean", "a beach", "the beach",
    "the coast", "the shore", "the seaside", "a seascape", "sea waves", "ocean waves", "the sea shore",
)  # fmt: skip
_THINGS = {
    "house": ("house", "house", "cabin", "cottage", "home", "hut"),
    "boat": ("boat", "boat", "sailboat", "ship", "sailing boat"),
    "tree": ("tree", "tree", "oak tree", "lone tree"),
}
_ADORN = (
    "",
    "",
    "",
    "",
    "beautiful",
    "small",
    "little",
    "lovely",
    "pretty",
    "peaceful",
    "lonely",
    "big",
)
_PREFIXES = (
    "", "", "", "", "", "", "a painting of", "a picture of", "a photo of", "a photograph of",
    "an image of", "a view of", "an illustration of", "artwork of", "a beautiful scene of",
    "a beautiful picture of",
)  # fmt: skip
_SUFFIXES = (
    "", "", "", "", "", "", "", "highly detailed", "beautiful", "very detailed", "high quality", "4k",
    "masterpiece", "digital art", "best quality", "peaceful", "stunning",
)  # fmt: skip
_STYLES = {
    "watercolor": (
        "a watercolor of {}", "a watercolor painting of {}", "{}, watercolor", "watercolour of {}",
        "{} in watercolor", "{} painted in watercolor", "a watercolour painting of {}",
        "{}, watercolor style",
    ),
    "pixel art": (
        "pixel art of {}", "{}, pixel art", "{} in pixel art style", "a pixel art picture of {}",
        "pixelated {}", "{} drawn with pixels", "8-bit pixel art of {}", "{} as retro game art",
    ),
    "sketch": (
        "a sketch of {}", "a pencil sketch of {}", "{}, pencil drawing", "a pencil drawing of {}",
        "{}, sketch", "a black and white sketch of {}", "a drawing of {} in pencil", "{} drawn in pencil",
    ),
}  # fmt: skip


def with_article(rng: Random, noun: str) -> str:
    """The noun behind "a", "an", "the" or nothing."""
    first = "an" if noun[0] in "aeiou" else "a"
    return rng.choice((first, first, first, "the", "")) + f" {noun}"


def caption(rng: Random, scene: Scene) -> str:
    """One wording of the scene, drawn at random."""
    match scene:
        case Shape():
            body = _shape_words(rng, scene)
        case Landscape():
            body = _landscape_words(rng, scene)
    if scene.style:
        words = rng.choice(_STYLES[scene.style]).format(body)
    else:
        words = f"{rng.choice(_PREFIXES)} {body}"
    suffix = rng.choice(_SUFFIXES)
    return " ".join((f"{words}, {suffix}" if suffix else words).split())


def _shape_words(rng: Random, scene: Shape) -> str:
    colour, background = (
        rng.choice(_COLOURS.get(name, (name,))) for name in (scene.colour, scene.background)
    )
    shape = rng.choice(_SHAPES.get(scene.shape, (scene.shape,)))
    thing = with_article(rng, f"{colour} {shape}")
    place = with_article(rng, f"{background} background")
    return rng.choice(
        (
            f"{thing} on {place}",
            f"{thing} on {place}",
            f"{thing} on {place}",
            f"{thing} on {background}",
            f"{thing}, {background} background",
            f"{thing} with {place}",
            f"{thing} in front of {place}",
            f"{thing} against {place}",
            f"{place} with {thing}",
            f"{background} background, {thing}",
        )
    )


def _landscape_words(rng: Random, scene: Landscape) -> str:
    if rng.random() < 0.12:
        return _keywords(rng, scene)
    place = _place_words(rng, scene)
    extra = _sky_words(rng, scene)
    said_time = scene.time != "day" or rng.random() < 0.5
    if scene.thing:
        thing = with_article(rng, _adorned(rng, rng.choice(_THINGS[scene.thing])))
        subject = f"{thing} {_where(rng, scene)} {place}"
    else:
        subject = place
    if not said_time:
        return f"{subject} {extra}"
    if rng.random() < 0.35:
        return (
            f"{with_article(rng, rng.choice(_TIME_NOUNS[scene.time]))} {_joint(rng, scene)} {subject} {extra}"
        )
    phrase = rng.choice(_TIME_PHRASES[scene.time])
    return rng.choice(
        (f"{subject} {phrase} {extra}", f"{subject} {extra} {phrase}", f"{subject}, {phrase} {extra}")
    )


def _joint(rng: Random, scene: Landscape) -> str:
    return (
        rng.choice(("with", "over", "and"))
        if scene.thing
        else rng.choice(("over", "over", "over", "in", "above"))
    )


def _adorned(rng: Random, noun: str) -> str:
    return f"{rng.choice(_ADORN)} {noun}".strip()


def _where(rng: Random, scene: Landscape) -> str:
    if scene.thing == "boat":
        return rng.choice(("on", "on", "on", "in", "sailing on"))
    if scene.water:
        return rng.choice(("by", "by", "near", "beside", "next to", "at", "in front of"))
    return rng.choice(("in", "in", "in", "near", "with", "in front of", "by"))


def _place_words(rng: Random, scene: Landscape) -> str:
    match scene.water:
        case "lake":
            return _lake_words(rng, scene)
        case "sea":
            sea = rng.choice(_SEAS)
            return (
                sea
                if not scene.ground
                else f"{sea} {rng.choice(('with', 'near', 'and'))} {_ground(rng, scene)}"
            )
    return _ground(rng, scene)


def _ground(rng: Random, scene: Landscape) -> str:
    return rng.choice(_GROUNDS[scene.ground])


def _lake_words(rng: Random, scene: Landscape) -> str:
    lake = rng.choice(_LAKES)
    plain = with_article(rng, _adorned(rng, lake))
    if scene.ground == "field" and rng.random() < 0.7:
        return plain
    ground = _ground(rng, scene)
    return rng.choice(
        (
            with_article(rng, f"{_ADJECTIVES[scene.ground]} {lake}"),
            with_article(rng, f"{_ADJECTIVES[scene.ground]} {lake}"),
            f"{plain} in {ground}",
            f"{plain} with {ground}",
            f"{ground} reflecting in {plain}",
            f"reflection of {ground} in {plain}",
            f"{plain} in front of {ground}",
            f"{ground} behind {plain}",
            f"{plain} and {ground}",
            f"{ground} by {plain}",
        )
    )


def _sky_words(rng: Random, scene: Landscape) -> str:
    parts = []
    if scene.luminary == "moon" and rng.random() < 0.45:
        parts.append(
            rng.choice(
                ("with a full moon", "under the moon", "with the moon", "and the moon", "with a bright moon")
            )
        )
    if scene.luminary == "sun" and rng.random() < (0.6 if scene.time == "day" else 0.2):
        parts.append(rng.choice(("with the sun", "with a bright sun", "and the sun", "under the sun")))
    if scene.cloudy and rng.random() < 0.8:
        parts.append(rng.choice(("with clouds", "under a cloudy sky", "and clouds", "with a cloudy sky")))
    if scene.time == "night" and rng.random() < 0.15:
        parts.append(rng.choice(("with stars", "and stars")))
    return " ".join(parts)


def _keywords(rng: Random, scene: Landscape) -> str:
    """A comma-separated list, as people also write."""
    words = [rng.choice((*_TIME_NOUNS[scene.time], *_TIME_PHRASES[scene.time]))]
    if scene.ground and not (scene.ground == "field" and scene.water):
        words.append(_ground(rng, scene))
    if scene.water:
        words.append(rng.choice(_LAKES) if scene.water == "lake" else rng.choice(_SEAS))
    if scene.thing:
        words.append(rng.choice(_THINGS[scene.thing]))
    if scene.luminary == "moon":
        words.append("moon")
    rng.shuffle(words)
    return ", ".join(words)
