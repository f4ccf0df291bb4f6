"""The words that the built-in model knows, and what others mean to it; importable without torch, to check a prompt early.

The weights carry the tokenizer that was made from them: a word added here is known once training has gone on.
"""

import re
import unicodedata

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
    "four", "2", "3", "4", "no", "without",
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

DENIABLE_WORDS = (
    "sun", "moon", "clouds", "rain", "fog", "rainbow", "house", "castle", "lighthouse", "windmill", "tent", "cactus",
    "snowman", "cat", "dog", "bicycle", "car", "boat", "balloon", "bird", "rocket",
)  # fmt: skip
"""What captions name behind "no" or "without" where it is absent."""

PLURALS = (
    "balloon", "bicycle", "bike", "bird", "boat", "cabin", "car", "castle", "cat", "cottage", "dog", "flower",
    "house", "hut", "island", "kitten", "lake", "lighthouse", "mill", "moon", "oak", "ocean", "pond",
    "rainbow", "river", "rocket", "sailboat", "sea", "seagull", "ship", "skyline", "snowman", "spaceship",
    "storm", "stream", "sunrise", "sunset", "tent", "volcano", "wall", "windmill",
)  # fmt: skip
"""Known things whose plural the model was never taught; it draws one of them."""

OTHER_WORDS = {
    "8bit": "8-bit", "aquarelle": "watercolor", "azure": "blue", "beaches": "beach", "blizzard": "snowstorm",
    "blooms": "blossoms", "brook": "stream", "cities": "city",
    "cityscape": "city skyline", "cloudless": "clear", "coastal": "coast", "coastline": "coast", "daisies": "daisy", "colored": "colors",
    "colorfully": "colorful", "colour": "colors", "colourful": "colorful", "colours": "colors", "creek": "stream",
    "deserts": "desert", "doggy": "puppy", "forested": "forest", "forests": "forest", "haze": "mist", "hazy": "misty",
    "hound": "dog", "lilac": "violet", "lakefront": "lakeside", "lakeshore": "lakeside", "metropolis": "city",
    "mountaintop": "mountain peak", "mountainous": "mountain", "nightfall": "dusk", "orb": "ball",
    "overcast": "cloudy", "photos": "photo", "pixelart": "pixel art", "pup": "puppy", "puppies": "puppy", "rainfall": "rain", "rains": "rain",
    "rainstorm": "storm", "rhombus": "diamond", "seashore": "shore", "shoreline": "shore",
    "sketched": "sketch", "sketches": "sketch", "skyscraper": "skyscrapers", "snowfall": "falling snow",
    "snowmen": "snowman", "spacecraft": "spaceship", "sphere": "ball", "starlit": "starry", "starship": "spaceship",
    "stormy": "storm", "sunlit": "sunny", "sunshine": "sunny", "thunderstorm": "storm", "volcanic": "volcano",
    "watercolors": "watercolor", "watercolours": "watercolor", "yacht": "sailboat",
}  # fmt: skip
"""Words that the model was never taught, in words that it was."""

PASSED_OVER = (
    "i", "i'm", "i'd", "me", "my", "we", "our", "us", "you", "your", "he", "she", "his", "her", "they", "them",
    "their", "this", "that", "these", "those", "am", "are", "be", "been", "being", "was", "were", "has", "have",
    "having", "do", "does", "don't", "please", "draw", "make", "create", "generate", "show", "showing", "give",
    "want", "wants", "like", "would", "can", "could", "will", "just", "so", "such", "too", "also", "only", "then",
    "than", "or", "but", "not", "into", "onto", "off", "up", "down", "out", "about", "within",
    "across", "among", "toward", "towards", "beyond", "surrounded", "really", "quite", "more", "most", "many",
    "much", "lots", "lot", "few", "several", "every", "all", "any", "each", "other", "another", "8k", "16k", "2k",
    "hd", "uhd", "hdr", "ultra", "super", "extremely", "hyper", "photorealistic", "photo-realistic", "realistic",
    "hyperrealistic", "realism", "cinematic", "aesthetic", "award-winning", "trending", "artstation", "wallpaper",
    "render", "rendered", "rendering", "sharp", "focus", "intricate", "elaborate", "gorgeous", "wonderful",
    "magical", "majestic", "breathtaking", "magnificent", "perfect", "great", "good", "elegant", "atmospheric",
    "vivid", "vibrant", "resolution", "details", "detail", "professional", "ultra-detailed", "high-quality",
    "high-resolution", "photography", "pic", "pictures", "images", "drawings", "paintings", "shot", "depicting",
    "featuring",
)  # fmt: skip
"""Words that name nothing which could be missing from a picture: small words, wishes and praise."""

_KNOWN = frozenset(WORDS)
_UNNAMED = frozenset(PASSED_OVER)
_SYNONYMS = {f"{noun}s": noun for noun in PLURALS} | OTHER_WORDS
_SHOWN = set(WORDS) - set(FILLER_WORDS) - set(LINKING_WORDS) - set(PRAISE_WORDS)
_OF_THE_MOON = frozenset(("moon", "moonlight", "moonlit"))
_NO_MOON = re.compile(r"\b(?:no|without)(?:\s+(?:an?|the|full|bright))*\s+moon(?:s|light)?\b", re.IGNORECASE)
_HOURS = {*TIME_WORDS, "dark"} - {*_OF_THE_MOON, "golden"}
_NO_THINGS = ("oak", "lone", "lonely", "medieval", "camping", "hot", "hot-air", "flying", "standing", "sitting", "tree")
_THINGS = frozenset(THING_WORDS) - set(_NO_THINGS)
_OF_PALMS = frozenset(("palm", "palms", "tropical"))
_ANY_LAND = frozenset(("landscape", "scenery"))
_LANDS = {*PLACE_WORDS, *WATER_WORDS} - _ANY_LAND - {"wall", "brick", "leaning", "colors", "lights", "trees"}
_ISLAND = re.compile(r"\b(?:(?:an?|the)\s+)?(?:\w+\s+)?islands?\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_NAMED_BY_DISCORD = re.compile(r"<(?:@[!&]?|#|a?:\w+:)\d+>")
_JOINTS = "-'"


def words_of(prompt: str) -> list[str]:
    """The prompt's words of any script in order, lower-case, without punctuation and possessive endings.

    A sign such as an emoji is a word; the codes that Discord writes for a mention or an emoji of its own are none.
    """
    plain = _NAMED_BY_DISCORD.sub(" ", unicodedata.normalize("NFC", prompt)).replace("’", "'").lower()
    spaced = "".join(letter if _belongs_to_a_word(letter) else " " for letter in plain)
    words = (word.strip(_JOINTS).removesuffix("'s") for word in spaced.split())
    return [word for word in words if word]


def _belongs_to_a_word(letter: str) -> bool:
    """Letters, marks on letters, numbers, signs such as emoji, and what joins two words."""
    kind = unicodedata.category(letter)
    return letter in _JOINTS or kind[0] in "LMN" or kind == "So"


def _is_known(word: str) -> bool:
    """Whether the word, or each word that a hyphen joins in it, says something to the model."""
    return word in _KNOWN or all(part in _KNOWN or part in _SYNONYMS for part in word.split("-"))


def unknown_words(prompt: str) -> list[str]:
    """The prompt's words that the model cannot draw, each once, in order."""
    words = dict.fromkeys(words_of(prompt))
    return [word for word in words if not _is_known(word) and word not in _UNNAMED]


def in_known_words(prompt: str, *, only: bool = False) -> str:
    """The prompt with plurals and synonyms put in the words that the model was taught; the rest stays as it is.

    `only` leaves out the words that were never taught: one of them can take the place of ten others.
    """

    def known(match: re.Match[str]) -> str:
        word = match[0].lower().replace("’", "'").removesuffix("'s")
        if not _is_known(word):
            return "" if only else match[0]
        told = "-".join(_SYNONYMS.get(part, part) for part in word.split("-"))
        return match[0] if told == word else told

    worded = _WORD.sub(known, prompt)
    return re.sub(r"(?:\s*,)+", ",", " ".join(worded.split())).strip(" ,") if only else worded


def without(prompt: str, negative: str) -> str:
    """The prompt without the things that the negative prompt names by themselves: "boat" in "boat, blue sky", not "blue".

    Guidance away from a word cannot outweigh the same word in the prompt; and what the model shows unasked, as the sun at
    sunset, stays away best where the prompt says so. Hence "no boat" at the end.
    """
    named = [_shown(part) for part in negative.split(",")]
    unwanted = {word for words in named if len(words) == 1 for word in words}

    def wanted(match: re.Match[str]) -> str:
        return "" if _shown(match[0]) & unwanted else match[0]

    if not unwanted:
        return prompt
    denied = [f"no {word}" for word in DENIABLE_WORDS if word in unwanted]
    return ", ".join([_WORD.sub(wanted, prompt), *denied])


def with_its_hour(prompt: str) -> str:
    """The prompt, with "at night" behind it where it asks for the moon and names no hour: training always named one."""
    shown = _shown(_NO_MOON.sub("", prompt))
    return f"{prompt} at night" if shown & _OF_THE_MOON and not shown & _HOURS else prompt


def with_its_place(prompt: str) -> str:
    """The prompt with the place that training showed together with what it names.

    Palms stood on islands alone, and on every island, where they grow through a thing that is said to be there: it stands
    on a beach. A landscape of which nothing is said would be an empty plain.
    """
    shown = _shown(prompt)
    if shown & _THINGS:
        return prompt if shown & _OF_PALMS else _ISLAND.sub("a beach", prompt)
    if shown & _OF_PALMS and "island" not in shown:
        return f"{prompt}, a tropical island"
    if shown & _ANY_LAND and not shown & _LANDS:
        return f"{prompt} with mountains and a lake"
    return prompt


def as_told(prompt: str, unwanted: str = "") -> str:
    """The prompt as the model is told it: where and when training showed it, without what is unwanted, in known words."""
    return in_known_words(without(with_its_hour(with_its_place(prompt)), unwanted))


def _shown(text: str) -> set[str]:
    """Its words that stand for something to be seen, as the model was taught them."""
    return {_SYNONYMS.get(word, word) for word in words_of(text)} & _SHOWN
