"""The phrases that captions are put together from, for each thing that a scene can show; those said more often come twice."""

COLOURS = {
    "red": ("red", "red", "red", "crimson", "scarlet"),
    "yellow": ("yellow", "yellow", "yellow", "golden"),
    "purple": ("purple", "purple", "violet"),
    "gray": ("gray", "grey"),
    "turquoise": ("turquoise", "teal", "cyan"),
}
SHAPES = {
    "circle": ("circle", "circle", "circle", "disc", "ball", "dot"),
    "square": ("square", "square", "square", "box"),
}
SIZES = {"small": ("small", "little", "tiny"), "big": ("big", "large", "huge", "giant")}
PLACES = {
    "left": ("on the left", "on the left side", "at the left"),
    "right": ("on the right", "on the right side", "at the right"),
    "above": ("at the top", "above", "in the upper half", "near the top"),
    "below": ("at the bottom", "below", "in the lower half", "near the bottom"),
}
COUNTS = {2: ("two", "two", "2", "a pair of"), 3: ("three", "three", "3"), 4: ("four", "four", "4")}

TIME_NOUNS = {
    "day": ("sunny day", "bright day", "day"),
    "dawn": ("sunrise", "sunrise", "dawn", "early morning"),
    "sunset": ("sunset", "sunset", "sunset", "dusk", "sundown"),
    "night": ("night", "starry night", "night sky", "starry sky"),
}
TIME_PHRASES = {
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
WEATHERS = {
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
LUMINARIES = {
    "sun": ("with the sun", "with a bright sun", "and the sun", "under the sun"),
    "moon": (
        "with a full moon", "under the moon", "with the moon", "and the moon", "with a bright moon",
        "in the moonlight", "on a moonlit night",
    ),
}  # fmt: skip
GROUNDS = {
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
SEASON_ADJECTIVES = {
    "spring": ("spring", "blooming", "blossoming"),
    "autumn": ("autumn", "autumn", "fall"),
    "winter": ("winter", "snowy", "snow-covered"),
}
SEASON_PHRASES = {
    "spring": ("in spring", "in springtime", "in bloom", "with spring blossoms"),
    "autumn": ("in autumn", "in autumn", "in the fall", "with autumn leaves", "in autumn colors"),
    "winter": ("in winter", "in winter", "in wintertime", "on a winter day"),
}
ADJECTIVES = {"mountains": "mountain", "hills": "hill", "forest": "forest", "field": "meadow"}
LAKES = ("lake", "lake", "lake", "pond", "lakeside")
RIVERS = ("river", "river", "stream", "winding river")
SEAS = (
    "the sea", "the sea", "the ocean", "the ocean", "a beach", "the beach", "the coast", "the shore",
    "the seaside", "a seascape", "ocean waves",
)  # fmt: skip
THINGS = {
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
ANIMALS = ("cat", "dog", "bird")
ADORN = (
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
WALLS = ("wall", "wall", "wall", "brick wall")
DENIALS = (", no {}", ", no {}", "no {}", "with no {}", "without {}", "without a {}", "without the {}")
PREFIXES = (
    "", "", "", "", "", "", "", "a painting of", "a picture of", "a photo of", "a photograph of", "an image of", "a view of",
    "an illustration of", "artwork of", "a beautiful scene of",
)  # fmt: skip
SUFFIXES = (
    "", "", "", "", "", "", "", "", "highly detailed", "beautiful", "high quality", "4k", "masterpiece",
    "digital art", "best quality", "stunning",
)  # fmt: skip
STYLES = {
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
