"""What the built-in model knows that comes closest to a prompt about something that it doesn't know.

A small thesaurus of what people ask for first, in English, German, French, Spanish and Japanese. Importable without torch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from generation.builtin.vocabulary import (
    COLOUR_WORDS,
    FILLER_WORDS,
    LINKING_WORDS,
    PLACE_WORDS,
    SHAPE_WORDS,
    SIZE_WORDS,
    SKY_WORDS,
    STYLE_WORDS,
    THING_WORDS,
    TIME_WORDS,
    WATER_WORDS,
    in_known_words,
    unknown_words,
    words_of,
)

_Kept = TypeVar("_Kept", str, tuple[str, str])

_QUALITIES = frozenset((
    *COLOUR_WORDS, *STYLE_WORDS, *SIZE_WORDS, *LINKING_WORDS, *FILLER_WORDS,
    "lone", "lonely", "medieval", "camping", "hot", "hot-air", "flying", "standing", "sitting",
    "modern", "leaning", "colors", "light", "lights", "clear", "full", "air", "heavy", "falling",
))  # fmt: skip
"""Known words that no picture can be about."""

_SETTINGS = frozenset((
    *TIME_WORDS, *WATER_WORDS, "sky", "cloud", "clouds", "cloudy", "rain", "rainy", "raining", "storm", "snow", "snows", "snowing",
    "snowstorm", "snowflakes", "fog", "foggy", "mist", "misty", "wintertime", "springtime", "tropical", "neon",
    "cyberpunk", "futuristic", "sci-fi", "wall", "brick", "spring", "blooming", "blossoming", "bloom", "blossoms",
    "autumn", "fall", "leaves", "winter", "snow-covered", "snowy", "field", "fields", "meadow", "meadows", "grass",
    "grassland", "plain", "countryside", "desert", "dune", "dunes", "sand", "sandy", "hill", "hills", "rolling", "valley",
))  # fmt: skip
"""Known words for when, in what weather, where or before what something is. A picture of nothing else is nearly empty."""

_SUBJECTS = frozenset((*SHAPE_WORDS, *SKY_WORDS, *PLACE_WORDS, *THING_WORDS)) - _QUALITIES - _SETTINGS


def knows_subject(prompt: str) -> bool:
    """Whether the model knows anything that the prompt is about.

    A setting is enough where every word is known ("the sea at sunset"), and not where what is in it is unknown ("a horse
    by the sea").
    """
    known = set(words_of(in_known_words(prompt)))
    known |= {part for word in known for part in word.split("-")}
    return bool(known & _SUBJECTS) or (bool(known & _SETTINGS) and not unknown_words(prompt))


FAVOURITES = (
    "a boat on the sea at sunset",
    "a castle in the hills at dawn",
    "a lighthouse by the sea at night with a full moon",
)
"""Prompts that show what the model does best."""

_SCENES = {
    "dog": "by the beach in the morning", "cat": "by the seaside at sunset", "bird": "over the ocean in daylight",
    "snowman": "in a winter forest", "castle": "in the hills at dawn", "house": "by a lake on a sunny day",
    "lighthouse": "by the sea at night with a full moon", "windmill": "in a field in spring",
    "tent": "in the forest at night", "tree": "on a hill at sunset", "cactus": "in the desert at noon",
    "flower": "in a field on a sunny day", "bicycle": "leaning against a blue wall", "car": "in front of a city at night",
    "boat": "on a lake in the hills", "hot air balloon": "over the mountains at sunrise",
    "rocket": "over the desert under a starry sky", "heart": "on a pink background", "circle": "on a white background",
    "star": "on a purple background",
}  # fmt: skip
"""Where each thing looks best."""

_THINGS = {
    "dog": "dog puppy kitten wolf fox bear lion horse pony cow sheep goat pig deer rabbit bunny squirrel panda monkey mouse "
    "hamster unicorn elephant animal pet creature monster corgi husky pikachu pokemon hund wolf fuchs pferd bär löwe tier chien loup renard "
    "cheval ours perro lobo zorro caballo oso 犬 狼 狐 馬 熊 動物 🐶 🐕 🦊 🐺 🐻 🐴 🦄",
    "cat": "cat kitty portrait woman girl face selfie anime pikachu pokemon tiger leopard lynx panther catgirl katze kätzchen chat chaton gato gatito 猫 ネコ 虎 🐱 🐈 🐯",
    "bird": "bird seagull owl eagle duck chicken penguin parrot raven crow swan goose hawk phoenix dragonfly butterfly "
    "bee vogel eule adler oiseau hibou pájaro búho águila 鳥 🐦 🦉 🦅 🦋",
    "snowman": "snowman woman man girl boy person people human child baby kid lady guy couple family friend portrait face "
    "selfie model actor santa zombie vampire witch goddess superhero hero anime waifu "
    "goku mario frau mann mädchen junge kind mensch gesicht femme homme fille garçon "
    "mujer hombre niña niño 女 男 少女 人 顔 👩 👨 🤖 ⛄",
    "castle": "castle fortress palace temple church cathedral tower ruins kingdom knight king queen princess prince wizard "
    "warrior samurai dragon elf dwarf orc sword schloss burg ritter könig drache château chevalier roi castillo caballero "
    "dragón 城 騎士 竜 ドラゴン 🏰 🐉",
    "house": "house home cabin cottage hut building mansion barn school shop hotel room kitchen bedroom bed sofa chair table "
    "haus hütte maison cabane casa 家 🏠 🏡",
    "lighthouse": "lighthouse eiffel skyscraper statue monument leuchtturm phare faro 灯台",
    "windmill": "windmill mill farm windmühle mühle moulin molino 風車",
    "tent": "tent camp campfire circus zelt tente tienda テント ⛺",
    "tree": "tree oak bonsai plant garden jungle baum arbre árbol 木 樹 🌳 🌲",
    "cactus": "cactus kaktus サボテン 🌵",
    "flower": "flower rose daisy tulip sunflower sunflowers bouquet vase lotus sakura blume blumen rose fleur fleurs flor "
    "flores 花 桜 🌸 🌹 🌻",
    "bicycle": "bicycle bike motorcycle motorbike scooter cyclist fahrrad vélo bicicleta 自転車 🚲",
    "car": "car automobile truck van bus taxi ferrari lamborghini porsche tesla train tank auto voiture coche 車 🚗 🏎",
    "boat": "boat ship sailboat pirate submarine whale shark dolphin fish octopus mermaid titanic boot schiff bateau barco "
    "船 魚 ⛵ 🐟 🦈 🐋",
    "hot air balloon": "balloon airship zeppelin blimp plane airplane aeroplane helicopter jet heißluftballon ballon montgolfière "
    "globo 気球 飛行機 🎈 ✈",
    "rocket": "rocket spaceship ufo astronaut robot android mech alien planet galaxy space nebula universe saturn mars satellite rakete raumschiff weltraum fusée "
    "espace cohete espacio ロケット 宇宙 🚀",
    "heart": "heart love romance kiss kissing valentine wedding cherry strawberry herz liebe cœur amour corazón amor 愛 ❤ 💖",
    "circle": "circle ball logo icon sign symbol emblem badge coffee cup tea coin apple orange cake pizza "
    "burger hamburger sushi food cookie donut football soccer moon planet kreis apfel pomme manzana 丸 🍎 🍕",
    "star": "star stars christmas magic crown stern étoile estrella 星 ⭐",
}  # fmt: skip
"""What is drawn for which words. A word that stands behind several things offers each."""

_PLACES = {
    ("the mountains", "in the mountains"): "mountain mountains peak alps everest fuji berg berge gebirge montagne montagnes "
    "montaña montañas 山 富士山 🏔",
    ("hills", "in the hills"): "hill hills valley hobbit hügel colline colinas 丘",
    ("a desert", "in the desert"): "desert dunes sand sahara egypt pyramid pyramids wüste désert desierto 砂漠",
    ("a forest", "in a forest"): "forest woods woodland jungle rainforest wald forêt bosque 森",
    ("a meadow", "in a meadow"): "field meadow grass countryside wiese feld prairie campo 草原",
    ("a tropical island", "by the sea"): "island palm tropical hawaii insel île isla 島 🏝",
    ("a volcano", "near a volcano"): "volcano lava dragon drache vulkan volcan volcán 火山 🌋",
    ("a city", "in front of a city"): "city town street downtown batman spiderman superman eiffel tokyo paris london york stadt straße ville rue ciudad calle 街 "
    "都市 東京 🏙",
    ("a cyberpunk city", "in front of a neon city"): "cyberpunk neon futuristic steampunk matrix サイバーパンク",
    ("a mountain lake", "by a lake"): "lake pond see lac lago 湖",
    ("a river in the forest", "by a river"): "river stream waterfall creek fluss rivière río 川",
    ("the sea", "by the sea"): "sea ocean beach coast shore waves underwater shark whale dolphin octopus mermaid pirate meer ozean strand mer océan plage mar océano playa 海 "
    "🌊",
}  # fmt: skip
_HOURS = {
    "at sunset": "sunset dusk evening sundown twilight sonnenuntergang abend coucher soir atardecer puesta 夕焼け 夕方 夕日 🌅 🌇",
    "at dawn": "dawn sunrise morning sonnenaufgang morgen aube matin amanecer 朝 日の出 🌄",
    "at night": "night midnight dark starry nacht nuit noche 夜 🌃 🌙",
}
_WEATHERS = {
    "in the rain": "rain rainy storm regen pluie lluvia 雨",
    "in the snow": "snow snowy snowing winter schnee neige nieve 雪 ❄",
    "in the fog": "fog mist misty nebel brouillard niebla 霧",
    "under a rainbow": "rainbow regenbogen arc-en-ciel arcoíris 虹 🌈",
}
_STYLES = {
    "watercolor": "watercolor aquarell aquarelle acuarela ghibli 水彩",
    "pixel art": "pixel pixelart minecraft 8-bit",
    "pencil sketch": "sketch pencil skizze zeichnung croquis dibujo manga",
    "oil painting": "oil gogh monet picasso ölgemälde",
}
_COLOURS = {
    "red": "red rot rote roter rotes rouge rojo roja 赤 赤い",
    "orange": "orange",
    "yellow": "yellow golden gelb gelbe gelber jaune amarillo amarilla 黄色",
    "green": "green grün grüne grüner vert verte verde 緑",
    "blue": "blue blau blaue blauer blaues bleu bleue azul 青 青い",
    "purple": "purple violet lila violette morado 紫",
    "pink": "pink rosa rose ピンク",
    "brown": "brown braun marron marrón 茶色",
    "black": "black schwarz schwarze schwarzer noir noire negro negra 黒 黒い",
    "white": "white weiß weiße weißer blanc blanche blanco blanca 白 白い",
}
_UNSPACED = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]+")
_USUAL_COLOURS = {"circle": "red", "heart": "red", "star": "yellow"}
_COLOURLESS = frozenset(("lighthouse", "castle", "windmill", "tree", "cactus", "snowman"))
_BY_THE_WATER = ("boat", "lighthouse")
_ANYWHERE = ("castle", "house")


@dataclass(slots=True)
class _Named:
    """What a prompt names: things from the most to the least likely, and at most one of everything else."""

    things: list[str] = field(default_factory=list)
    place: tuple[str, str] | None = None
    hour: str = ""
    weather: str = ""
    style: str = ""
    colour: str = ""


def nearest(prompt: str, count: int = 3) -> tuple[str, ...]:
    """`count` prompts that the model draws well, those that come closest to `prompt` first."""
    named = _named(prompt)
    found = dict.fromkeys((*_alike(named), *FAVOURITES))
    return tuple(found)[:count]


def _named(prompt: str) -> _Named:
    words = {form for word in words_of(prompt) for form in (word, word.removesuffix("s"), *word.split("-"))}
    return _Named(
        things=list(_meant(_THINGS, words)),
        place=next(_meant(_PLACES, words), None),
        hour=next(_meant(_HOURS, words), ""),
        weather=next(_meant(_WEATHERS, words), ""),
        style=next(_meant(_STYLES, words), ""),
        colour=next(_meant(_COLOURS, words), ""),
    )


def _meant(table: Mapping[_Kept, str], words: set[str]) -> Iterator[_Kept]:
    """What the words stand for. Japanese puts no space between two words, so its words are looked for inside of others."""
    for kept, names in table.items():
        known = names.split()
        if not words.isdisjoint(known) or any(
            name in word for name in known if _UNSPACED.fullmatch(name) for word in words if not word.isascii()
        ):
            yield kept


def _alike(named: _Named) -> Iterator[str]:
    """From what was named to whole prompts: what can be kept is kept, and the rest is where the thing looks best."""
    around = " ".join(filter(None, (named.place and named.place[1], named.weather, named.hour)))
    afloat = re.sub(r"^by", "on", around)
    style = f", {named.style}" if named.style else ""
    if named.place and not named.things:
        yield " ".join(filter(None, (named.place[0], named.weather, named.hour))) + style
    for thing in named.things or (_usual(named) if around or style else ()):
        yield _article(thing, named.colour) + f" {(afloat if thing == 'boat' else around) or _SCENES[thing]}{style}"
    for thing in named.things[:1]:
        yield _article(thing, named.colour) + f" {_SCENES[thing]}"


def _usual(named: _Named) -> Sequence[str]:
    return _BY_THE_WATER if named.place and named.place[1] in ("by the sea", "by a lake") else _ANYWHERE


def _article(thing: str, colour: str) -> str:
    colour = "" if thing in _COLOURLESS else colour or _USUAL_COLOURS.get(thing, "")
    words = f"{colour} {thing}".strip()
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"
