"""Fifty prompts that people type first, written down before anything was done about the ones that fail."""

FIRST_PROMPTS = (
    # animals
    "a fox",
    "a cute cat",
    "a dog with sunglasses",
    "a dragon",
    "a horse running on a beach",
    "an owl at night",
    "a wolf in the snow",
    "a unicorn under a rainbow",
    "shark",
    # people
    "portrait of a woman",
    "an old man with a beard",
    "an astronaut riding a horse",
    "a knight in shining armor",
    "anime girl with blue hair",
    "a couple kissing in the rain",
    # names
    "Pikachu",
    "Batman",
    "Darth Vader eating ice cream",
    "Mona Lisa",
    "Emma",
    "the Eiffel Tower at sunset",
    # food
    "pizza",
    "a cup of coffee on a table",
    "sushi",
    "a red apple",
    # styles
    "cyberpunk city at night",
    "a watercolor painting of a lighthouse",
    "pixel art",
    "a steampunk airship",
    "a fantasy landscape in the style of studio ghibli",
    "logo for my band",
    "an oil painting of sunflowers in a vase",
    # things and places
    "a robot",
    "a spaceship over a desert planet",
    "a red sports car",
    "a castle in the clouds",
    "a sunset over the sea",
    "a house",
    "a lighthouse on an island",
    "a tropical beach",
    # other languages
    "ein Fuchs im Wald",
    "ein roter Leuchtturm am Meer bei Sonnenuntergang",
    "猫",
    "夕焼けの海",
    "un chat noir",
    "una casa en la montaña",
    # and whatever comes to mind
    "hello",
    "test",
    "something beautiful",
    "🦊",
)
