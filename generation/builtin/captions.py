"""Captions: the many ways to say what a scene shows. Uses only words of `vocabulary`.

Whatever is out of the ordinary is always said, so that what goes unsaid is ordinary: by day, in clear weather.
"""

from random import Random

from generation.builtin.drawing.scenes import IN_THE_SKY, Landscape, Scene, Shape, Still

_COLOURS = {
    "red": ("red", "red", "red", "crimson", "scarlet"),
    "yellow": ("yellow", "yellow", "yellow", "golden"),
    "purple": ("purple", "purple", "violet"),
    "gray": ("gray", "grey"),
    "turquoise": ("turquoise", "teal", "cyan"),
}
_SHAPES = {
    "circle": ("circle", "circle", "circle", "disc", "ball", "dot"),
    "square": ("square", "square", "square", "box"),
}
_SIZES = {"small": ("small", "little", "tiny"), "big": ("big", "large", "huge", "giant")}
_PLACES = {
    "left": ("on the left", "on the left side", "at the left"),
    "right": ("on the right", "on the right side", "at the right"),
    "above": ("at the top", "above", "in the upper half", "near the top"),
    "below": ("at the bottom", "below", "in the lower half", "near the bottom"),
}
_COUNTS = {2: ("two", "two", "2", "a pair of"), 3: ("three", "three", "3"), 4: ("four", "four", "4")}

_TIME_NOUNS = {
    "day": ("sunny day", "bright day", "day"),
    "dawn": ("sunrise", "sunrise", "dawn", "early morning"),
    "sunset": ("sunset", "sunset", "sunset", "dusk", "sundown"),
    "night": ("night", "starry night", "night sky", "starry sky"),
}
_TIME_PHRASES = {
    "day": (
        "on a sunny day", "during the day", "at noon", "in daylight", "by day", "in the afternoon", "at midday",
        "in the daytime",
    ),
    "dawn": ("at dawn", "at sunrise", "in the morning", "at daybreak", "in the early morning", "in morning light"),
    "sunset": (
        "at sunset", "at sunset", "at dusk", "in the evening", "at sundown", "at twilight", "during sunset",
        "at the golden hour",
    ),
    "night": (
        "at night", "at night", "by night", "at midnight", "under the stars", "under a starry sky",
        "at nighttime", "in the dark",
    ),
}  # fmt: skip
_WEATHERS = {
    "": ("under a clear sky", "under a blue sky", "in clear air"),
    "clouds": (
        "with clouds",
        "under a cloudy sky",
        "with white clouds",
        "with a cloud",
        "on a cloudy day",
        "with a cloudy sky",
    ),
    "rain": (
        "in the rain",
        "in the rain",
        "on a rainy day",
        "in heavy rain",
        "with rain",
        "in a storm",
        "while it is raining",
    ),
    "snow": (
        "in the snow",
        "in falling snow",
        "with snow",
        "while it snows",
        "in a snowstorm",
        "with snowflakes",
        "while it is snowing",
    ),
    "fog": ("in the fog", "in fog", "in the mist", "with fog", "on a foggy day", "in misty air"),
    "rainbow": ("with a rainbow", "under a rainbow", "and a rainbow", "with a colorful rainbow"),
}
_LUMINARIES = {
    "sun": ("with the sun", "with a bright sun", "and the sun", "under the sun"),
    "moon": (
        "with a full moon", "under the moon", "with the moon", "and the moon", "with a bright moon",
        "in the moonlight", "on a moonlit night",
    ),
}  # fmt: skip
_GROUNDS = {
    "mountains": (
        "mountains", "the mountains", "mountain peaks", "snowy mountains", "a mountain", "a mountain range",
        "a mountain landscape", "alpine peaks", "a mountain peak", "mountain scenery",
    ),
    "hills": ("hills", "the hills", "green hills", "rolling hills", "a hill", "a valley"),
    "desert": ("a desert", "the desert", "sand dunes", "desert dunes", "a desert landscape", "a sandy desert", "a sand dune"),
    "forest": ("a forest", "the forest", "the woods", "a pine forest", "pine trees", "woodland", "pines", "forest"),
    "field": ("a field", "a meadow", "meadows", "the meadow", "grassland", "a green field", "the countryside", "the fields", "a plain", "a grass field"),
    "island": ("an island", "a tropical island", "a small island", "an island with palm trees", "an island with palms", "the island"),
    "volcano": ("a volcano", "an erupting volcano", "the volcano", "a volcano with lava", "a fiery volcano"),
    "city": ("a city", "the city", "a city skyline", "a skyline", "skyscrapers", "a modern city", "downtown"),
    "neon city": (
        "a neon city", "a cyberpunk city", "a city of neon lights", "a futuristic city", "a cyberpunk skyline",
        "a city with neon lights", "a sci-fi city",
    ),
}  # fmt: skip
_SEASON_ADJECTIVES = {
    "spring": ("spring", "blooming", "blossoming"),
    "autumn": ("autumn", "autumn", "fall"),
    "winter": ("winter", "snowy", "snow-covered"),
}
_SEASON_PHRASES = {
    "spring": ("in spring", "in springtime", "in bloom", "with spring blossoms"),
    "autumn": ("in autumn", "in autumn", "in the fall", "with autumn leaves", "in autumn colors"),
    "winter": ("in winter", "in winter", "in wintertime", "on a winter day"),
}
_ADJECTIVES = {"mountains": "mountain", "hills": "hill", "forest": "forest", "field": "meadow"}
_LAKES = ("lake", "lake", "lake", "pond", "lakeside")
_RIVERS = ("river", "river", "stream", "winding river")
_SEAS = (
    "the sea", "the sea", "the ocean", "the ocean", "a beach", "the beach", "the coast", "the shore",
    "the seaside", "a seascape", "ocean waves",
)  # fmt: skip
_THINGS = {
    "house": ("house", "house", "house", "cabin", "cottage", "home", "hut"),
    "castle": ("castle", "castle", "fortress", "medieval castle"),
    "lighthouse": ("lighthouse",),
    "windmill": ("windmill", "windmill", "mill"),
    "tent": ("tent", "tent", "camping tent"),
    "tree": ("tree", "tree", "oak tree", "lone tree"),
    "cactus": ("cactus", "cactus", "cacti"),
    "flower": ("flower", "flower", "daisy", "blossom"),
    "snowman": ("snowman",),
    "cat": ("cat", "cat", "cat", "kitten", "kitty"),
    "dog": ("dog", "dog", "dog", "puppy"),
    "bicycle": ("bicycle", "bicycle", "bike"),
    "car": ("car", "car", "automobile"),
    "boat": ("boat", "boat", "sailboat", "ship", "sailing boat"),
    "balloon": ("balloon", "hot air balloon", "hot-air balloon", "hot air balloon"),
    "bird": ("bird", "bird", "flying bird", "seagull"),
    "rocket": ("rocket", "rocket", "rocket ship", "spaceship"),
}
_ANIMALS = ("cat", "dog", "bird")
_ADORN = (
    "",
    "",
    "",
    "",
    "",
    "",
    "beautiful",
    "small",
    "little",
    "lovely",
    "pretty",
    "cute",
    "lonely",
    "big",
    "old",
)
_PREFIXES = (
    "", "", "", "", "", "", "", "a painting of", "a picture of", "a photo of", "a photograph of", "an image of", "a view of",
    "an illustration of", "artwork of", "a beautiful scene of",
)  # fmt: skip
_SUFFIXES = (
    "", "", "", "", "", "", "", "", "highly detailed", "beautiful", "high quality", "4k", "masterpiece",
    "digital art", "best quality", "stunning",
)  # fmt: skip
_STYLES = {
    "watercolor": (
        "a watercolor of {}", "a watercolor painting of {}", "{}, watercolor", "watercolour of {}",
        "{} in watercolor", "{}, watercolor style",
    ),
    "pixel art": (
        "pixel art of {}", "{}, pixel art", "{} in pixel art style", "pixelated {}", "8-bit pixel art of {}",
        "{} as retro pixel art", "8 bit pixel art of {}", "{} drawn with pixels", "{} as retro game art",
    ),
    "sketch": (
        "a sketch of {}", "a pencil sketch of {}", "{}, pencil drawing", "a pencil drawing of {}", "{}, sketch",
        "a black and white sketch of {}",
    ),
    "neon": (
        "{} in neon style", "neon style {}", "{}, neon art", "a neon drawing of {}", "{} drawn in glowing neon lines",
        "{}, glowing neon",
    ),
    "paper cut": (
        "paper cut of {}", "{}, paper cut", "a paper cut of {}", "{} in paper cut style", "papercut art of {}",
        "{} made of cut paper",
    ),
    "oil": (
        "an oil painting of {}", "oil painting of {}", "{}, oil painting", "{} painted in oil", "{}, oil on canvas",
        "{} in oil paint",
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
        case Still():
            body = _still_words(rng, scene)
        case Landscape():
            body = _landscape_words(rng, scene)
    if scene.style:
        words = rng.choice(_STYLES[scene.style]).format(body)
    else:
        words = f"{rng.choice(_PREFIXES)} {body}"
    suffix = rng.choice(_SUFFIXES)
    return _tidy(f"{words}, {suffix}" if suffix else words)


def _tidy(words: str) -> str:
    return " ".join(words.split()).replace(" ,", ",").strip(" ,")


def _colour(rng: Random, name: str) -> str:
    return rng.choice(_COLOURS.get(name, (name,)))


def _shape_words(rng: Random, scene: Shape) -> str:
    colour, background = _colour(rng, scene.colour), _colour(rng, scene.background)
    noun = rng.choice(_SHAPES.get(scene.shape, (scene.shape,)))
    if scene.count > 1:
        plural = noun + ("es" if noun.endswith("x") else "s")
        thing = f"{rng.choice(_COUNTS[scene.count])} {colour} {plural}"
    elif scene.size:
        thing = with_article(rng, f"{rng.choice(_SIZES[scene.size])} {colour} {noun}")
    else:
        thing = with_article(rng, f"{colour} {noun}")
    if scene.place:
        thing = f"{thing} {rng.choice(_PLACES[scene.place])}"
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


def _still_words(rng: Random, scene: Still) -> str:
    thing = with_article(rng, f"{_colour(rng, scene.colour)} {rng.choice(_THINGS[scene.thing])}")
    wall = with_article(
        rng, f"{_colour(rng, scene.wall)} {rng.choice(('wall', 'wall', 'wall', 'brick wall'))}"
    )
    joints = ["in front of", "in front of", "against", "by", "beside", "near", "before"]
    if scene.thing == "bicycle":
        joints += ["leaning against"] * 3
    if scene.thing in _ANIMALS:
        joints += ["standing in front of", "sitting by"]
    return rng.choice(
        (f"{thing} {rng.choice(joints)} {wall}",) * 4 + (f"{wall} and {thing}", f"{thing}, {wall}")
    )


def _landscape_words(rng: Random, scene: Landscape) -> str:
    if rng.random() < 0.12:
        return _keywords(rng, scene)
    place = _place_words(rng, scene)
    subject = f"{_thing_words(rng, scene)} {_where(rng, scene)} {place}" if scene.thing else place
    extras = _extras(rng, scene)
    said_time = scene.time != "day" or rng.random() < 0.5
    if said_time and rng.random() < 0.3:
        noun = with_article(rng, rng.choice(_TIME_NOUNS[scene.time]))
        joint = (
            rng.choice(("with", "over", "and"))
            if scene.thing
            else rng.choice(("over", "over", "in", "above"))
        )
        return f"{noun} {joint} {subject} {extras}"
    if not said_time:
        return f"{subject} {extras}"
    phrase = rng.choice(_TIME_PHRASES[scene.time])
    return rng.choice(
        (f"{subject} {phrase} {extras}", f"{subject} {extras} {phrase}", f"{subject}, {phrase} {extras}")
    )


def _thing_words(rng: Random, scene: Landscape) -> str:
    noun = rng.choice(_THINGS[scene.thing])
    if not scene.colour:
        return with_article(rng, f"{rng.choice(_ADORN)} {noun}".strip())
    colour = _colour(rng, scene.colour)
    if rng.random() < 0.1:
        return f"{with_article(rng, noun)}, {colour},"
    return with_article(rng, f"{rng.choice(_ADORN)} {colour} {noun}".strip())


def _where(rng: Random, scene: Landscape) -> str:
    if scene.thing == "boat":
        return rng.choice(("on", "on", "on", "in", "sailing on"))
    if scene.thing in IN_THE_SKY:
        return rng.choice(("over", "over", "above", "flying over", "in the sky over"))
    if scene.thing in _ANIMALS and rng.random() < 0.4:
        return rng.choice(("standing by", "sitting by", "standing near"))
    if scene.water:
        return rng.choice(("by", "by", "near", "beside", "next to", "at", "in front of"))
    return rng.choice(("in", "in", "in", "near", "with", "in front of", "by"))


def _extras(rng: Random, scene: Landscape) -> str:
    parts = []
    if scene.weather or (scene.time == "day" and rng.random() < 0.1):
        parts.append(rng.choice(_WEATHERS[scene.weather]))
    if scene.luminary and (scene.time in ("day", "night") or rng.random() < 0.3):
        parts.append(rng.choice(_LUMINARIES[scene.luminary]))
    if scene.season and not _says_season_with_ground(scene):
        parts.append(rng.choice(_SEASON_PHRASES[scene.season]))
    rng.shuffle(parts)
    return " ".join(parts)


def _says_season_with_ground(scene: Landscape) -> bool:
    """Whether the season is worded as an adjective of the ground; by the scene alone, so that it is said once."""
    return bool(scene.season) and not scene.water and scene.thing != "tree" and scene.ground in _ADJECTIVES


def _place_words(rng: Random, scene: Landscape) -> str:
    match scene.water:
        case "lake":
            return _lake_words(rng, scene)
        case "river":
            river = with_article(rng, rng.choice(_RIVERS))
            joint = rng.choice(("in", "in", "through", "and", "between"))
            return rng.choice(
                (f"{river} {joint} {_ground(rng, scene)}", f"{_ground(rng, scene)} with {river}")
            )
        case "sea":
            return _sea_words(rng, scene)
    return _ground(rng, scene)


def _sea_words(rng: Random, scene: Landscape) -> str:
    sea = rng.choice(_SEAS)
    if not scene.ground:
        return sea
    ground = _ground(rng, scene)
    if scene.ground == "island":
        return rng.choice((ground, f"{ground} in the sea", f"{ground} in the ocean", f"{sea} with {ground}"))
    return f"{sea} {rng.choice(('with', 'near', 'and'))} {ground}"


def _ground(rng: Random, scene: Landscape) -> str:
    if not _says_season_with_ground(scene):
        return rng.choice(_GROUNDS[scene.ground])
    if rng.random() < 0.5:
        return f"{rng.choice(_GROUNDS[scene.ground])} {rng.choice(_SEASON_PHRASES[scene.season])}"
    noun = {"forest": "forest", "hills": "hills", "field": "meadow", "mountains": "mountains"}[scene.ground]
    return with_article(rng, f"{rng.choice(_SEASON_ADJECTIVES[scene.season])} {noun}")


def _lake_words(rng: Random, scene: Landscape) -> str:
    lake = rng.choice(_LAKES)
    plain = with_article(rng, f"{rng.choice(_ADORN)} {lake}".strip())
    if scene.ground == "field" and rng.random() < 0.4:
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


def _keywords(rng: Random, scene: Landscape) -> str:
    """A comma-separated list, as people also write."""
    words = [rng.choice((*_TIME_NOUNS[scene.time], *_TIME_PHRASES[scene.time]))]
    if scene.ground:
        words.append(rng.choice(_GROUNDS[scene.ground]))
    if scene.water:
        words.append(rng.choice({"lake": _LAKES, "sea": _SEAS, "river": _RIVERS}[scene.water]))
    if scene.thing:
        words.append(_thing_words(rng, scene).replace(",", ""))
    if scene.luminary:
        words.append(scene.luminary)
    if scene.weather:
        words.append(rng.choice((scene.weather, scene.weather, rng.choice(_WEATHERS[scene.weather]))))
    if scene.season:
        words.append(rng.choice((scene.season, rng.choice(_SEASON_PHRASES[scene.season]))))
    rng.shuffle(words)
    return ", ".join(words)
