"""Captions: the many ways to say what a scene shows. Uses only words of `vocabulary`.

Whatever is out of the ordinary is always said, so that what goes unsaid is ordinary: by day, in clear weather. Now and
then a caption says what is not there, so that "no boat" can be learned.
"""

from random import Random

from generation.builtin import phrases
from generation.builtin.drawing.scenes import IN_THE_SKY, Landscape, Scene, Shape, Still
from generation.builtin.vocabulary import DENIABLE_WORDS


def with_article(rng: Random, noun: str) -> str:
    """The noun behind "a", "an", "the" or nothing."""
    first = "an" if noun[0] in "aeiou" else "a"
    return rng.choice((first, first, first, "the", "")) + f" {noun}"


def caption(rng: Random, scene: Scene) -> str:
    """One wording of the scene, drawn at random. A still's colours, and a shape's background, go unsaid where they are ""."""
    match scene:
        case Shape():
            body = _shape_words(rng, scene)
        case Still():
            body = _still_words(rng, scene)
        case Landscape():
            body = f"{_landscape_words(rng, scene)} {_denial(rng, scene)}".strip()
    if scene.style:
        words = rng.choice(phrases.STYLES[scene.style]).format(body)
    else:
        words = f"{rng.choice(phrases.PREFIXES)} {body}"
    suffix = rng.choice(phrases.SUFFIXES)
    return _tidy(f"{words}, {suffix}" if suffix else words)


def _tidy(words: str) -> str:
    return " ".join(words.split()).replace(" ,", ",").strip(" ,")


def _colour(rng: Random, name: str) -> str:
    return rng.choice(phrases.COLOURS.get(name, (name,)))


def _shape_words(rng: Random, scene: Shape) -> str:
    colour, background = _colour(rng, scene.colour), _colour(rng, scene.background)
    noun = rng.choice(phrases.SHAPES.get(scene.shape, (scene.shape,)))
    if scene.count > 1:
        plural = noun + ("es" if noun.endswith("x") else "s")
        thing = f"{rng.choice(phrases.COUNTS[scene.count])} {colour} {plural}"
    elif scene.size:
        thing = with_article(rng, f"{rng.choice(phrases.SIZES[scene.size])} {colour} {noun}")
    else:
        thing = with_article(rng, f"{colour} {noun}")
    if scene.place:
        thing = f"{thing} {rng.choice(phrases.PLACES[scene.place])}"
    if not background:
        return thing
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
    thing = with_article(rng, f"{_colour(rng, scene.colour)} {rng.choice(phrases.THINGS[scene.thing])}".strip())
    wall = with_article(rng, f"{_colour(rng, scene.wall)} {rng.choice(phrases.WALLS)}".strip())
    joints = ["in front of", "in front of", "against", "by", "beside", "near", "before"]
    if scene.thing == "bicycle":
        joints += ["leaning against"] * 3
    if scene.thing in phrases.ANIMALS:
        joints += ["standing in front of", "sitting by"]
    return rng.choice((f"{thing} {rng.choice(joints)} {wall}",) * 4 + (f"{wall} and {thing}", f"{thing}, {wall}"))


def _landscape_words(rng: Random, scene: Landscape) -> str:
    if rng.random() < 0.12:
        return _keywords(rng, scene)
    place = _place_words(rng, scene)
    subject = f"{_thing_words(rng, scene)} {_where(rng, scene)} {place}" if scene.thing else place
    extras = _extras(rng, scene)
    said_time = scene.time != "day" or rng.random() < 0.5
    if said_time and rng.random() < 0.3:
        noun = with_article(rng, rng.choice(phrases.TIME_NOUNS[scene.time]))
        joint = rng.choice(("with", "over", "and")) if scene.thing else rng.choice(("over", "over", "in", "above"))
        return f"{noun} {joint} {subject} {extras}"
    if not said_time:
        return f"{subject} {extras}"
    phrase = rng.choice(phrases.TIME_PHRASES[scene.time])
    return rng.choice((f"{subject} {phrase} {extras}", f"{subject} {extras} {phrase}", f"{subject}, {phrase} {extras}"))


def misses_the_sun(scene: Scene) -> bool:
    """Whether it shows an hour and a sky in which one would see the sun, and shows none."""
    return (
        isinstance(scene, Landscape)
        and scene.time in ("dawn", "sunset")
        and scene.weather in ("", "clouds")
        and not scene.luminary
    )


def _denial(rng: Random, scene: Landscape) -> str:
    """Now and then something that is not there; mostly the sun, at an hour when one would see it."""
    sunless = misses_the_sun(scene)
    if rng.random() > (0.7 if sunless else 0.08):
        return ""
    shown = (scene.thing, scene.luminary, scene.weather)
    absent = "sun" if sunless else rng.choice([word for word in DENIABLE_WORDS if word not in shown])
    return rng.choice(phrases.DENIALS).format(absent)


def _thing_words(rng: Random, scene: Landscape) -> str:
    noun = rng.choice(phrases.THINGS[scene.thing])
    if not scene.colour:
        return with_article(rng, f"{rng.choice(phrases.ADORN)} {noun}".strip())
    colour = _colour(rng, scene.colour)
    if rng.random() < 0.1:
        return f"{with_article(rng, noun)}, {colour},"
    return with_article(rng, f"{rng.choice(phrases.ADORN)} {colour} {noun}".strip())


def _where(rng: Random, scene: Landscape) -> str:
    if scene.thing == "boat":
        return rng.choice(("on", "on", "on", "in", "sailing on"))
    if scene.thing in IN_THE_SKY:
        return rng.choice(("over", "over", "above", "flying over", "in the sky over"))
    if scene.thing in phrases.ANIMALS and rng.random() < 0.4:
        return rng.choice(("standing by", "sitting by", "standing near"))
    if scene.water:
        return rng.choice(("by", "by", "near", "beside", "next to", "at", "in front of"))
    return rng.choice(("in", "in", "in", "near", "with", "in front of", "by"))


def _extras(rng: Random, scene: Landscape) -> str:
    parts = []
    if scene.weather or (scene.time == "day" and rng.random() < 0.1):
        parts.append(rng.choice(phrases.WEATHERS[scene.weather]))
    if scene.luminary and (scene.time in ("day", "night") or rng.random() < 0.3):
        parts.append(rng.choice(phrases.LUMINARIES[scene.luminary]))
    if scene.season and not _says_season_with_ground(scene):
        parts.append(rng.choice(phrases.SEASON_PHRASES[scene.season]))
    rng.shuffle(parts)
    return " ".join(parts)


def _says_season_with_ground(scene: Landscape) -> bool:
    """Whether the season is worded as an adjective of the ground; by the scene alone, so that it is said once."""
    return bool(scene.season) and not scene.water and scene.thing != "tree" and scene.ground in phrases.ADJECTIVES


def _place_words(rng: Random, scene: Landscape) -> str:
    match scene.water:
        case "lake":
            return _lake_words(rng, scene)
        case "river":
            river = with_article(rng, rng.choice(phrases.RIVERS))
            joint = rng.choice(("in", "in", "through", "and", "between"))
            return rng.choice((f"{river} {joint} {_ground(rng, scene)}", f"{_ground(rng, scene)} with {river}"))
        case "sea":
            return _sea_words(rng, scene)
    return _ground(rng, scene)


def _sea_words(rng: Random, scene: Landscape) -> str:
    sea = rng.choice(phrases.SEAS)
    if not scene.ground:
        return sea
    ground = _ground(rng, scene)
    if scene.ground == "island":
        return rng.choice((ground, f"{ground} in the sea", f"{ground} in the ocean", f"{sea} with {ground}"))
    return f"{sea} {rng.choice(('with', 'near', 'and'))} {ground}"


def _ground(rng: Random, scene: Landscape) -> str:
    if not _says_season_with_ground(scene):
        return rng.choice(phrases.GROUNDS[scene.ground])
    if rng.random() < 0.5:
        return f"{rng.choice(phrases.GROUNDS[scene.ground])} {rng.choice(phrases.SEASON_PHRASES[scene.season])}"
    noun = {"forest": "forest", "hills": "hills", "field": "meadow", "mountains": "mountains"}[scene.ground]
    return with_article(rng, f"{rng.choice(phrases.SEASON_ADJECTIVES[scene.season])} {noun}")


def _lake_words(rng: Random, scene: Landscape) -> str:
    lake = rng.choice(phrases.LAKES)
    plain = with_article(rng, f"{rng.choice(phrases.ADORN)} {lake}".strip())
    if scene.ground == "field" and rng.random() < 0.4:
        return plain
    ground = _ground(rng, scene)
    return rng.choice(
        (
            with_article(rng, f"{phrases.ADJECTIVES[scene.ground]} {lake}"),
            with_article(rng, f"{phrases.ADJECTIVES[scene.ground]} {lake}"),
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
    words = [rng.choice((*phrases.TIME_NOUNS[scene.time], *phrases.TIME_PHRASES[scene.time]))]
    if scene.ground:
        words.append(rng.choice(phrases.GROUNDS[scene.ground]))
    if scene.water:
        words.append(rng.choice({"lake": phrases.LAKES, "sea": phrases.SEAS, "river": phrases.RIVERS}[scene.water]))
    if scene.thing:
        words.append(_thing_words(rng, scene).replace(",", ""))
    if scene.luminary:
        words.append(scene.luminary)
    if scene.weather:
        words.append(rng.choice((scene.weather, scene.weather, rng.choice(phrases.WEATHERS[scene.weather]))))
    if scene.season:
        words.append(rng.choice((scene.season, rng.choice(phrases.SEASON_PHRASES[scene.season]))))
    rng.shuffle(words)
    return ", ".join(words)
