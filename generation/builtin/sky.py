"""Skies: the palette of each time of day, and the sun, moon, stars and clouds in it.

Every other part of a landscape takes its light and haze from the `Light` that is chosen here.
"""

from dataclasses import dataclass

import numpy as np

from generation.builtin.canvas import (
    SIZE,
    Array,
    Colour,
    add_light,
    clouds_mask,
    disc,
    glow,
    gradient,
    jitter,
    mix,
    noise,
    paint,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """The colours of one hour: three sky stops, the air's haze, the tint on the land, and its strength."""

    top: Colour
    middle: Colour
    horizon: Colour
    haze: Colour
    tint: Colour
    strength: float


LIGHTS: dict[str, tuple[Light, ...]] = {
    "day": (
        Light(
            top=(0.20, 0.47, 0.86),
            middle=(0.47, 0.71, 0.95),
            horizon=(0.80, 0.91, 0.98),
            haze=(0.70, 0.83, 0.95),
            tint=(1.0, 1.0, 0.97),
            strength=1.0,
        ),
        Light(
            top=(0.25, 0.58, 0.90),
            middle=(0.55, 0.80, 0.96),
            horizon=(0.90, 0.96, 0.97),
            haze=(0.78, 0.88, 0.95),
            tint=(1.0, 1.0, 0.95),
            strength=1.0,
        ),
    ),
    "dawn": (
        Light(
            top=(0.45, 0.60, 0.88),
            middle=(0.86, 0.72, 0.86),
            horizon=(1.0, 0.86, 0.70),
            haze=(0.93, 0.78, 0.80),
            tint=(1.0, 0.88, 0.85),
            strength=0.82,
        ),
        Light(
            top=(0.52, 0.62, 0.85),
            middle=(0.95, 0.75, 0.78),
            horizon=(1.0, 0.90, 0.68),
            haze=(0.96, 0.80, 0.76),
            tint=(1.0, 0.88, 0.82),
            strength=0.82,
        ),
    ),
    "sunset": (
        Light(
            top=(0.25, 0.16, 0.42),
            middle=(0.85, 0.33, 0.32),
            horizon=(1.0, 0.68, 0.25),
            haze=(0.92, 0.48, 0.32),
            tint=(1.0, 0.62, 0.48),
            strength=0.55,
        ),
        Light(
            top=(0.45, 0.20, 0.40),
            middle=(0.95, 0.45, 0.25),
            horizon=(1.0, 0.80, 0.35),
            haze=(0.95, 0.55, 0.30),
            tint=(1.0, 0.66, 0.45),
            strength=0.55,
        ),
    ),
    "night": (
        Light(
            top=(0.02, 0.03, 0.12),
            middle=(0.05, 0.08, 0.24),
            horizon=(0.12, 0.17, 0.38),
            haze=(0.09, 0.13, 0.30),
            tint=(0.55, 0.68, 1.0),
            strength=0.36,
        ),
        Light(
            top=(0.03, 0.02, 0.14),
            middle=(0.09, 0.07, 0.28),
            horizon=(0.20, 0.19, 0.42),
            haze=(0.13, 0.13, 0.33),
            tint=(0.58, 0.64, 1.0),
            strength=0.36,
        ),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Luminary:
    """Where the sun or the moon stands; the sea and the lake draw its path of light below it."""

    x: float
    y: float
    colour: Colour


def choose_light(rng: np.random.Generator, time: str) -> Light:
    """One of the hour's palettes, moved a little so that no two skies are the same."""
    base = LIGHTS[time][int(rng.integers(len(LIGHTS[time])))]
    return Light(
        top=jitter(rng, base.top, 0.03),
        middle=jitter(rng, base.middle, 0.03),
        horizon=jitter(rng, base.horizon, 0.03),
        haze=base.haze,
        tint=base.tint,
        strength=base.strength,
    )


def shade(light: Light, colour: Colour, distance: float = 0.0) -> Colour:
    """A surface's colour under this light, faded into the haze by its distance (0 near, 1 at the horizon)."""
    red, green, blue = (c * t * light.strength for c, t in zip(colour, light.tint, strict=True))
    return mix((red, green, blue), light.haze, distance)


def draw_sky(
    rng: np.random.Generator, light: Light, horizon: float, luminary: str, cloudy: bool, time: str
) -> tuple[Array, Luminary | None]:
    """A sky down to the horizon with "sun", "moon" or "" in it, and where that luminary stands."""
    canvas = gradient([(0.0, light.top), (horizon * 0.6, light.middle), (horizon, light.horizon)])
    if time == "night":
        _draw_stars(rng, canvas, horizon)
    body = _draw_luminary(rng, canvas, light, horizon, luminary, time) if luminary else None
    cover = rng.uniform(0.55, 0.9) if cloudy else rng.uniform(0.0, 0.3)
    pale = {"day": (1.0, 1.0, 1.0), "night": (0.22, 0.25, 0.42)}.get(
        time, mix(light.horizon, (1, 0.8, 0.8), 0.4)
    )
    fade = np.clip((horizon - _rows()) / max(horizon, 0.05) + 0.25, 0.0, 1.0)
    paint(canvas, clouds_mask(rng, cover) * fade * (0.45 if time == "night" else 0.8), pale)
    return canvas, body


def _rows() -> Array:
    return ((np.arange(SIZE) + 0.5) / SIZE).astype(np.float32)[:, None]


def _draw_stars(rng: np.random.Generator, canvas: Array, horizon: float) -> None:
    """Points of light, a few of them large, and sometimes a faint milky way."""
    if rng.random() < 0.4:
        slope = rng.uniform(-0.8, 0.8)
        columns = (np.arange(SIZE, dtype=np.float32) + 0.5) / SIZE
        band = np.exp(-(((_rows() - slope * (columns - 0.5) - 0.25) / 0.13) ** 2))
        add_light(canvas, (band * noise(rng, 9, 9) * 0.4).astype(np.float32), (0.6, 0.6, 0.9))
    for _ in range(int(rng.integers(35, 80))):
        row, column = int(rng.uniform(0, horizon) * (SIZE - 3)), int(rng.integers(0, SIZE - 2))
        brightness = rng.uniform(0.45, 1.0)
        if rng.random() < 0.45:
            star = np.array([[0.15, 0.5, 0.15], [0.5, 1, 0.5], [0.15, 0.5, 0.15]], np.float32)[..., None]
            patch = canvas[row : row + 3, column : column + 3]
            patch += (1.0 - patch) * star * np.float32(brightness)
        else:
            patch = canvas[row : row + 2, column : column + 2]
            patch += (1.0 - patch) * np.float32(brightness)


def _draw_luminary(
    rng: np.random.Generator, canvas: Array, light: Light, horizon: float, luminary: str, time: str
) -> Luminary:
    """The sun or the moon: low at the day's ends, high otherwise, with its halo."""
    x = float(rng.uniform(0.2, 0.8))
    low = time in ("sunset", "dawn")
    y = float(horizon * (rng.uniform(0.62, 0.92) if low else rng.uniform(0.2, 0.5)))
    radius = float(rng.uniform(0.05, 0.08))
    if luminary == "moon":
        return _draw_moon(rng, canvas, x, y, radius)
    colour = {"sunset": (1.0, 0.82, 0.45), "dawn": (1.0, 0.93, 0.72)}.get(time, (1.0, 0.97, 0.75))
    add_light(canvas, glow(x, y, 0.42) * 0.45, mix(light.horizon, colour, 0.5))
    add_light(canvas, glow(x, y, radius * 2.4) * 0.7, colour)
    paint(canvas, disc(x, y, radius), mix(colour, (1, 1, 1), 0.25))
    return Luminary(x=x, y=y, colour=colour)


def _draw_moon(rng: np.random.Generator, canvas: Array, x: float, y: float, radius: float) -> Luminary:
    """A full moon with faint seas, or a crescent."""
    pale = (0.96, 0.95, 0.86)
    add_light(canvas, glow(x, y, radius * 3.2) * 0.4, (0.65, 0.72, 0.95))
    face = disc(x, y, radius)
    if rng.random() < 0.35:
        face = face * (1.0 - disc(x + radius * 0.55, y - radius * 0.25, radius * 0.92))
        paint(canvas, face, pale)
    else:
        paint(canvas, face, pale)
        paint(canvas, face * np.clip(noise(rng, 20, 20) - 0.5, 0, 1) * 0.7, (0.7, 0.72, 0.75))
    return Luminary(x=x, y=y, colour=pale)
