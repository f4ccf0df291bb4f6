"""The words that the built-in model knows, importable without torch, so that a prompt can be checked early.

The weights carry the tokenizer that was made from them: a word added here is known once training has gone on.
"""

import re

COLOUR_WORDS = (
    "red", "orange", "yellow", "green", "blue", "purple", "violet", "pink", "brown", "black", "white",
    "gray", "grey", "turquoise", "teal", "cyan",
    "crimson", "scarlet",
)  # fmt: skip
SHAPE_WORDS = (
    "circle", "disc", "ball", "dot", "square", "box", "triangle", "star", "heart", "diamond",
    "circles", "discs", "balls", "dots", "squares", "boxes", "triangles", "stars", "hearts", "diamonds",
)  # fmt: skip
TIME_WORDS = (
    "day", "daytime", "daylight", "noon", "midday", "afternoon", "sunny", "dawn", "sunrise", "morning",
    "daybreak", "sunset", "dusk", "evening", "sundown", "twilight", "night", "nighttime", "midnight",
    "starry", "moonlit", "moonlight", "golden", "hour", "early",
)  # fmt: skip
SKY_WORDS = (
    "sky", "sun", "moon", "stars", "full", "clouds", "cloudy", "clear", "light",
    "cloud", "rain", "rainy", "raining", "storm", "heavy", "snow", "snows", "snowing", "snowstorm", "snowflakes",
    "falling", "fog", "foggy", "mist", "misty", "rainbow", "air", "wintertime", "springtime",
)  # fmt: skip
PLACE_WORDS = (
    "mountain", "mountains", "peak", "peaks", "snowy", "alpine", "range", "hill", "hills", "rolling",
    "valley", "desert", "dune", "dunes", "sand", "sandy", "forest", "woods", "woodland", "pine", "pines",
    "trees", "field", "fields", "meadow", "meadows", "grass", "grassland", "plain", "countryside",
    "landscape", "scenery",
    "island", "tropical", "palm", "palms", "volcano", "erupting", "lava", "fiery", "city", "skyline", "skyscrapers",
    "modern", "downtown", "neon", "cyberpunk", "futuristic", "lights", "sci-fi", "wall", "brick", "leaning",
    "spring", "blooming", "blossoming", "bloom", "blossoms", "autumn", "fall", "leaves", "winter", "snow-covered",
    "colors",
)  # fmt: skip
WATER_WORDS = (
    "lake", "pond", "reflection", "reflecting", "sea", "ocean", "beach", "coast",
    "shore", "seaside", "waves", "lakeside", "seascape",
    "river", "stream", "winding",
)  # fmt: skip
THING_WORDS = (
    "house", "cabin", "cottage", "home", "hut", "boat", "sailboat", "ship", "sailing", "tree",
    "oak", "lone", "lonely",
    "castle", "fortress", "medieval", "lighthouse", "windmill", "mill", "tent", "camping", "cactus", "cacti",
    "flower", "daisy", "blossom", "snowman", "cat", "kitten", "kitty", "dog", "puppy", "bicycle", "bike", "car",
    "automobile", "balloon", "hot", "hot-air", "bird", "seagull", "flying", "rocket", "spaceship", "standing",
    "sitting",
)  # fmt: skip
STYLE_WORDS = (
    "watercolor", "watercolour", "painting", "painted", "pixel", "pixels", "pixelated", "art", "sketch",
    "pencil", "drawing", "drawn", "style", "8", "bit", "8-bit", "retro", "game", "photo", "picture",
    "image", "photograph", "illustration", "scene", "view", "artwork", "digital",
    "glowing", "lines", "paper", "cut", "papercut", "made", "oil", "canvas", "paint",
)  # fmt: skip
LINKING_WORDS = (
    "a", "an", "the", "of", "on", "over", "under", "in", "at", "by", "with", "and", "near", "next", "to",
    "beside", "behind", "above", "below", "against", "before", "front", "its", "is", "there", "from", "as",
    "one", "single", "some", "inside", "along", "during", "between", "middle", "around", "it", "for",
    "through", "while", "half", "top", "bottom", "upper", "lower", "left", "right", "side", "pair", "two", "three",
    "four", "2", "3", "4",
)  # fmt: skip
SIZE_WORDS = ("small", "little", "tiny", "big", "large", "huge", "giant", "dark", "background")
PRAISE_WORDS = (
    "beautiful", "pretty", "lovely", "nice", "peaceful", "calm", "quiet", "serene", "stunning", "colorful",
    "detailed", "highly", "high", "quality", "4k", "masterpiece", "best", "epic", "amazing", "dreamy",
    "cozy", "bright", "simple",
    "wide", "very",
    "cute", "old",
)  # fmt: skip

WORDS = (
    COLOUR_WORDS
    + SHAPE_WORDS
    + TIME_WORDS
    + SKY_WORDS
    + PLACE_WORDS
    + WATER_WORDS
    + THING_WORDS
    + STYLE_WORDS
    + LINKING_WORDS
    + SIZE_WORDS
    + PRAISE_WORDS
)

FILLER_WORDS = (
    *PRAISE_WORDS, "its", "is", "there", "from", "one", "single", "some", "inside", "along", "middle", "around", "for",
)  # fmt: skip
"""Words that say nothing about what is drawn."""

_WORD = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def words_of(prompt: str) -> list[str]:
    """The prompt's words in order, lower-case, without punctuation."""
    return _WORD.findall(prompt.lower())


def unknown_words(prompt: str) -> list[str]:
    """The prompt's words that the model never saw in training, each once, in order."""
    known = frozenset(WORDS)
    return list(dict.fromkeys(word for word in words_of(prompt) if word not in known))
