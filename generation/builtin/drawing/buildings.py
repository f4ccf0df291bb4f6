"""What people build: a house, a castle, a lighthouse, a windmill and a tent, lit from the left."""

from math import cos, pi, sin

import numpy as np

from generation.builtin.drawing.canvas import Colour, Point, Polygon, Sprite, darker, lighter, mix

WHITE: Colour = (0.97, 0.96, 0.93)
WOOD: Colour = (0.46, 0.28, 0.17)
DARK: Colour = (0.17, 0.15, 0.20)
GLASS: Colour = (0.58, 0.80, 0.92)
LAMP: Colour = (1.0, 0.85, 0.40)
SLATE: Colour = (0.33, 0.36, 0.46)
TILES: Colour = (0.66, 0.33, 0.22)
PALE_SLATE: Colour = (0.62, 0.65, 0.72)
FLAG: Colour = (0.86, 0.16, 0.18)
ROCK: Colour = (0.45, 0.44, 0.47)
_SHADOW: Colour = (0.10, 0.09, 0.28)


def shaded(colour: Colour, amount: float = 0.22) -> Colour:
    """The colour on the side away from the light: deeper rather than duller, so that yellow turns golden."""
    red, green, blue = colour
    deep = (0.8 * red * red, 0.8 * green * green, 0.8 * blue * blue)
    return mix(mix(colour, deep, min(2.0 * amount, 1.0)), _SHADOW, 0.3 * amount)


def sunlit(colour: Colour, amount: float = 0.22) -> Colour:
    """The colour on the side towards the light."""
    return lighter(colour, amount)


def brightness(colour: Colour) -> float:
    """How bright the colour looks, 0..1."""
    red, green, blue = colour
    return 0.3 * red + 0.59 * green + 0.11 * blue


def arc(x: float, y: float, radius: float, start: float, end: float, stretch: float = 1.0) -> list[Point]:
    """Points along a circle from one angle to another, in degrees anticlockwise from the right."""
    angles = [(start + (end - start) * step / 24) * pi / 180 for step in range(25)]
    return [(x + radius * stretch * cos(angle), y + radius * sin(angle)) for angle in angles]


def _arch(x: float, foot: float, width: float, height: float) -> Polygon:
    """The outline of a door or window with a round top."""
    half = width / 2
    return [(x + half, foot), *arc(x, foot + height - half, half, 0, 180), (x - half, foot)]


def _window(sprite: Sprite, x: float, y: float, half: float, frame: Colour) -> None:
    """A square window with a cross, which glows at night."""
    rim, bar = half * 0.30, half * 0.13
    sprite.rectangle(x - half - rim, y - half - rim, x + half + rim, y + half + rim, frame)
    sprite.rectangle(x - half, y - half, x + half, y + half, LAMP if sprite.night else GLASS, lit=sprite.night)
    sprite.rectangle(x - bar, y - half, x + bar, y + half, frame)
    sprite.rectangle(x - half, y - bar, x + half, y + bar, frame)
    if sprite.night:
        sprite.shine(x, y, half * 3.0, LAMP, 0.35)


def _slit(sprite: Sprite, x: float, foot: float, width: float, height: float) -> None:
    """A narrow window with a round top, dark by day and glowing at night."""
    sprite.polygon(_arch(x, foot, width, height), LAMP if sprite.night else DARK, lit=sprite.night)
    if sprite.night:
        sprite.shine(x, foot + height / 2, height * 1.2, LAMP, 0.35)


def _flag(sprite: Sprite, x: float, foot: float, top: float, length: float) -> None:
    sprite.stroke([(x, foot), (x, top - 0.01)], 0.02, WOOD)
    sprite.polygon([(x, top), (x + length, top - 0.055), (x, top - 0.11)], FLAG)


def draw_house(sprite: Sprite, rng: np.random.Generator, colour: Colour) -> None:
    """A cosy house seen from the front: a wide roof, a chimney, a door and windows that shine at night."""
    wide, eaves = float(rng.uniform(0.52, 0.57)), float(rng.uniform(0.46, 0.50))
    peak = 0.97
    bright = brightness(colour)
    roof = PALE_SLATE if bright < 0.2 else TILES if bright > 0.75 else SLATE
    sprite.rectangle(0.26, 0.6, 0.42, 0.98, shaded(TILES, 0.1))
    sprite.rectangle(0.23, 0.94, 0.45, 1.0, shaded(TILES, 0.35))
    wall: Polygon = [(-wide, 0.0), (-wide, eaves), (0.0, peak), (wide, eaves), (wide, 0.0)]
    sprite.polygon(wall, colour)
    sprite.polygon(
        [
            (0.0, peak),
            (wide, eaves),
            (wide, 0.0),
            (wide - 0.10, 0.0),
            (wide - 0.10, eaves - 0.08),
            (0.0, peak - 0.2),
        ],
        shaded(colour, 0.16),
    )
    sprite.polygon([(-wide, eaves), (0.0, peak), (0.0, peak - 0.2), (-wide, eaves - 0.14)], shaded(colour, 0.16))
    _roof(sprite, wide, eaves, peak, roof)
    sprite.rectangle(-wide - 0.03, 0.0, wide + 0.03, 0.05, shaded(ROCK, 0.1))
    frame = WHITE if bright < 0.9 else lighter(WOOD, 0.15)
    for x in (-0.33, 0.33):
        _window(sprite, x, 0.29, 0.085, frame)
    sprite.disc(0.0, 0.66, 0.10, frame)
    sprite.disc(0.0, 0.66, 0.07, LAMP if sprite.night else GLASS, lit=sprite.night)
    sprite.polygon(_arch(0.0, 0.0, 0.27, 0.44), frame)
    sprite.polygon(_arch(0.0, 0.0, 0.21, 0.41), WOOD)
    sprite.disc(0.055, 0.19, 0.022, LAMP)


def _roof(sprite: Sprite, wide: float, eaves: float, peak: float, colour: Colour) -> None:
    """Two thick slopes that reach over the walls."""
    slope = (peak - eaves) / wide
    out = wide + 0.13
    for side, tone in ((-1, sunlit(colour, 0.1)), (1, shaded(colour, 0.2))):
        low = peak - slope * out
        sprite.polygon(
            [(0.0, peak + 0.05), (side * out, low + 0.05), (side * out, low - 0.07), (0.0, peak - 0.07)], tone
        )


def draw_castle(sprite: Sprite, rng: np.random.Generator, colour: Colour) -> None:
    """A castle: two battlemented towers with flags, a wall with a gate, and a keep with a pointed roof."""
    tall = float(rng.uniform(0.60, 0.64))
    _tower(sprite, 0.0, 0.17, 0.3, 0.66, shaded(colour, 0.06))
    _flag(sprite, 0.0, 0.9, 1.06, 0.15)
    sprite.polygon([(-0.23, 0.68), (0.0, 0.98), (0.23, 0.68)], SLATE)
    sprite.polygon([(0.06, 0.68), (0.0, 0.98), (0.23, 0.68)], shaded(SLATE, 0.4))
    _slit(sprite, 0.0, 0.50, 0.08, 0.14)
    sprite.rectangle(-0.42, 0.0, 0.42, 0.38, shaded(colour, 0.12))
    _battlements(sprite, 0.0, 0.42, 0.38, 7, shaded(colour, 0.12))
    for x in (-0.45, 0.45):
        _flag(sprite, x, tall, tall + 0.27, 0.15)
        _tower(sprite, x, 0.17, 0.0, tall - 0.08, colour)
        sprite.rectangle(x - 0.21, tall - 0.10, x + 0.21, tall, sunlit(colour, 0.12))
        sprite.rectangle(x + 0.09, tall - 0.10, x + 0.21, tall, shaded(colour))
        _battlements(sprite, x, 0.21, tall, 3, sunlit(colour, 0.12), shaded(colour))
        _slit(sprite, x, 0.30, 0.08, 0.15)
    sprite.polygon(_arch(0.0, 0.0, 0.34, 0.33), sunlit(colour, 0.25))
    sprite.polygon(_arch(0.0, 0.0, 0.26, 0.29), WOOD)
    sprite.polygon([(0.13, 0.0), *arc(0.0, 0.16, 0.13, 0, 90), (0.0, 0.0)], darker(WOOD, 0.3))


def _tower(sprite: Sprite, x: float, half: float, bottom: float, top: float, colour: Colour) -> None:
    sprite.rectangle(x - half, bottom, x + half, top, colour)
    sprite.rectangle(x - half, bottom, x - half * 0.55, top, sunlit(colour))
    sprite.rectangle(x + half * 0.4, bottom, x + half, top, shaded(colour))


def _battlements(
    sprite: Sprite, x: float, half: float, foot: float, count: int, colour: Colour, last: Colour | None = None
) -> None:
    """Merlons with gaps as wide as themselves; the rightmost one may have a colour of its own."""
    width = 2 * half / (2 * count - 1)
    for i in range(count):
        left = x - half + 2 * i * width
        tone = last if last is not None and i == count - 1 else colour
        sprite.rectangle(left, foot - 0.005, left + width, foot + 0.075, tone)


def draw_lighthouse(sprite: Sprite, rng: np.random.Generator, colour: Colour) -> None:
    """A tall white lighthouse with broad coloured stripes, its lantern alight at night."""
    foot, head, top = float(rng.uniform(0.175, 0.195)), 0.10, 0.74
    for stripe in range(5):
        tone = WHITE if stripe % 2 else colour
        low, high = (0.04 + (top - 0.04) * (stripe + end) / 5 for end in (0, 1))
        below, above = (foot + (head - foot) * y / top for y in (low, high))
        for left, right, shade in (
            (-1.0, 1.0, tone),
            (-1.0, -0.5, sunlit(tone, 0.3)),
            (0.3, 1.0, shaded(tone)),
        ):
            sprite.polygon(
                [(left * below, low), (left * above, high), (right * above, high), (right * below, low)],
                shade,
            )
    sprite.polygon([(-0.30, 0.0), (-0.24, 0.07), (-0.1, 0.09), (0.12, 0.07), (0.25, 0.08), (0.32, 0.0)], ROCK)
    sprite.polygon([(0.0, 0.0), (0.12, 0.07), (0.25, 0.08), (0.32, 0.0)], shaded(ROCK, 0.35))
    _slit(sprite, 0.0, 0.38, 0.075, 0.11)
    _lantern(sprite, top, colour)


def _lantern(sprite: Sprite, foot: float, colour: Colour) -> None:
    """The gallery, the glass and the dome on top of a lighthouse."""
    lamp = LAMP if sprite.night else mix(GLASS, LAMP, 0.55)
    sprite.rectangle(-0.075, foot, 0.075, foot + 0.14, lamp, lit=sprite.night)
    if sprite.night:
        sprite.disc(0.0, foot + 0.08, 0.045, (1.0, 0.98, 0.85), lit=True)
        sprite.shine(0.0, foot + 0.08, 0.14, (1.0, 0.92, 0.65), 0.9)
        sprite.shine(0.0, foot + 0.08, 0.42, LAMP, 0.45)
    else:
        sprite.disc(0.0, foot + 0.08, 0.04, LAMP)
    for x in (-0.075, 0.075):
        sprite.rectangle(x - 0.012, foot, x + 0.012, foot + 0.14, DARK)
    sprite.rectangle(-0.15, foot - 0.01, 0.15, foot + 0.03, SLATE)
    sprite.rectangle(0.04, foot - 0.01, 0.15, foot + 0.03, shaded(SLATE, 0.45))
    dome = [*arc(0.0, foot + 0.135, 0.105, 0, 180)]
    sprite.disc(0.0, foot + 0.255, 0.025, SLATE)
    sprite.polygon(dome, colour)
    sprite.polygon([(0.03, foot + 0.135), *arc(0.0, foot + 0.135, 0.105, 0, 80)], shaded(colour))


def draw_windmill(sprite: Sprite, rng: np.random.Generator, colour: Colour) -> None:
    """A windmill: a tapering tower with a dark cap and four great sails in a cross."""
    foot, head, top = 0.25, 0.15, 0.62
    sprite.polygon([(-foot, 0.0), (-head, top), (head, top), (foot, 0.0)], colour)
    sprite.polygon([(-foot, 0.0), (-head, top), (-head * 0.6, top), (-foot * 0.6, 0.0)], sunlit(colour, 0.3))
    sprite.polygon([(foot * 0.3, 0.0), (head * 0.3, top), (head, top), (foot, 0.0)], shaded(colour, 0.2))
    sprite.polygon(arc(0.0, top - 0.01, 0.18, 0, 180, 1.0), SLATE if brightness(colour) > 0.75 else TILES)
    sprite.polygon(_arch(0.0, 0.0, 0.16, 0.22), WOOD)
    _slit(sprite, 0.0, 0.31, 0.08, 0.11)
    turn = float(rng.uniform(30, 60)) * pi / 180
    for quarter in range(4):
        _sail(sprite, 0.0, top + 0.03, turn + quarter * pi / 2)
    sprite.disc(0.0, top + 0.03, 0.045, darker(WOOD, 0.3))


def _sail(sprite: Sprite, x: float, y: float, angle: float) -> None:
    """One sail of a windmill, pointing along the angle from its hub."""

    def spot(along: float, across: float) -> Point:
        return x + along * cos(angle) - across * sin(angle), y + along * sin(angle) + across * cos(angle)

    frame: Polygon = [spot(0.12, -0.02), spot(0.12, 0.12), spot(0.47, 0.12), spot(0.47, -0.02)]
    cloth: Polygon = [spot(0.14, 0.0), spot(0.14, 0.10), spot(0.45, 0.10), spot(0.45, 0.0)]
    sprite.polygon(frame, WOOD)
    sprite.polygon(cloth, WHITE)
    sprite.stroke([spot(0.295, 0.0), spot(0.295, 0.10)], 0.02, WOOD)
    sprite.stroke([spot(0.0, 0.0), spot(0.465, 0.0)], 0.035, darker(WOOD, 0.2))


def draw_tent(sprite: Sprite, rng: np.random.Generator, colour: Colour) -> None:
    """A camping tent seen from its open front, glowing inside at night."""
    apex, back = (-0.22, 0.93), (0.52 + float(rng.uniform(-0.03, 0.03)), 0.86)
    left, right, far = (-0.78, 0.0), (0.30, 0.0), (1.02, 0.05)
    for end, peg in ((left, (-0.98, 0.0)), (far, (1.18, 0.03))):
        top = apex if end is left else back
        sprite.stroke([top, peg], 0.02, mix(WHITE, WOOD, 0.3))
    sprite.stroke([apex, (apex[0] + 0.035, 1.0)], 0.04, WOOD)
    sprite.stroke([apex, (apex[0] - 0.035, 1.0)], 0.04, WOOD)
    sprite.polygon([apex, back, far, right], shaded(colour, 0.2))
    sprite.polygon([apex, back, (0.77, 0.455), (0.04, 0.465)], shaded(colour, 0.06))
    sprite.polygon([left, apex, right], sunlit(colour, 0.1))
    inside = LAMP if sprite.night else DARK
    sprite.polygon([(-0.50, 0.0), (apex[0], 0.74), (0.04, 0.0)], inside, lit=sprite.night)
    flap = sunlit(colour, 0.45)
    sprite.polygon([(apex[0], 0.74), (-0.54, 0.0), (-0.40, 0.0), (-0.36, 0.26)], flap)
    sprite.polygon([(apex[0], 0.74), (0.08, 0.0), (-0.04, 0.0), (-0.08, 0.26)], flap)
    if sprite.night:
        sprite.shine(apex[0], 0.25, 0.5, LAMP, 0.5)
