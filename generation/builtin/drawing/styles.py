"""Styles: what makes a watercolour, pixel art, a sketch, neon, a paper cut or an oil painting of a picture."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from generation.builtin.drawing.canvas import Array, Canvas

Bytes = NDArray[np.uint8]

CELL = 8
"""Pixels in one big square pixel of pixel art."""
CELL_COLOURS = 16
LAYERS = 9
"""Sheets of paper in a paper cut."""
NIGHT = np.array([0.025, 0.03, 0.10], np.float32)
DIMMED = np.array([0.07, 0.08, 0.13], np.float32)
ICE = np.array([0.3, 0.75, 0.85], np.float32)
PAPER = np.array([0.97, 0.95, 0.90], np.float32)
PENCIL = np.array([0.24, 0.24, 0.26], np.float32)
WHITE = np.array([0.985, 0.98, 0.965], np.float32)


def apply_style(rng: np.random.Generator, picture: Image.Image, style: str) -> Image.Image:
    """The picture in the named style; "" leaves it as it is."""
    match style:
        case "":
            return picture
        case "watercolor":
            return _watercolour(rng, picture)
        case "pixel art":
            return _pixel_art(picture)
        case "sketch":
            return _sketch(picture)
        case "neon":
            return _neon(picture)
        case "paper cut":
            return _paper_cut(picture)
        case "oil":
            return _oil(rng, picture)
    raise ValueError(f"no style {style!r}")


def _floats(picture: Image.Image) -> Array:
    return np.asarray(picture, np.float32) / np.float32(255.0)


def _to_image(pixels: Array) -> Image.Image:
    return Image.fromarray((np.clip(pixels, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8))


def _blurred(pixels: Array, radius: float) -> Array:
    return _floats(_to_image(pixels).filter(ImageFilter.BoxBlur(radius)))


def _edges(picture: Image.Image, faint: float, clear: float) -> Array:
    """Lines three to four pixels wide where colours meet: 0 up to a difference of `faint`, 1 from `clear` on."""
    calm = np.asarray(_contrasted(picture).filter(ImageFilter.MedianFilter(3)), np.int16)
    step = np.zeros(calm.shape[:2], np.float32)
    step[1:-1] = np.abs(calm[2:] - calm[:-2]).max(axis=2)
    step[:, 1:-1] = np.maximum(step[:, 1:-1], np.abs(calm[:, 2:] - calm[:, :-2]).max(axis=2))
    lines = np.clip((step / 255.0 - faint) / (clear - faint), 0.0, 1.0)
    soft = _floats(_to_image(lines).filter(ImageFilter.MedianFilter(3)).filter(ImageFilter.BoxBlur(1)))
    strong: Array = np.minimum(soft * 1.5, 1.0)
    return strong


def _contrasted(picture: Image.Image) -> Image.Image:
    """The picture on its way to the full range of brightness, and a dark one made brighter."""
    full = Image.blend(picture, ImageOps.autocontrast(picture, 1, preserve_tone=True), 0.7)
    mean = max(float(np.asarray(full).mean()) / 255.0, 0.02)
    gamma = min(max(np.log(0.36) / np.log(mean), 0.5), 1.0)
    return full.point([round(255 * (level / 255) ** gamma) for level in range(256)] * 3)


def _watercolour(rng: np.random.Generator, picture: Image.Image) -> Image.Image:
    """Pale washes with wobbling, bleeding edges and darker rims, blotches, and a white paper border."""
    canvas = Canvas(*picture.size)
    wobbly = _warped(rng, canvas, ImageEnhance.Color(picture).enhance(1.35), 4.5)
    paint = _floats(wobbly.filter(ImageFilter.MedianFilter(3)))
    soft = _floats(wobbly.filter(ImageFilter.BoxBlur(5)))
    rim = np.abs(soft - paint).max(axis=2)[..., None]
    paint = 1.0 - (1.0 - (0.9 * paint + 0.1 * soft)) * 0.66 - 0.16 * rim
    blotch = np.clip(canvas.noise(rng, 4, 4) * 2.5 - 1.2, 0.0, 1.0)[..., None]
    paint = paint + (1.0 - paint) * blotch * 0.28
    inset = _inset(canvas) + 13.0 * (canvas.noise(rng, 9, 9) - 0.5)
    frame = np.clip((inset - 15.0) / 2.0, 0.0, 1.0)[..., None]
    pooled = np.clip(1.0 - np.abs(inset - 19.0) / 4.0, 0.0, 1.0)[..., None] * 0.12
    return _to_image(WHITE + (paint * (1.0 - pooled) - WHITE) * frame)


def _inset(canvas: Canvas) -> Array:
    """How many pixels each is away from the border."""
    rows, columns = np.arange(canvas.rows, dtype=np.float32), np.arange(canvas.columns, dtype=np.float32)
    inset: Array = np.minimum(np.minimum(rows, rows[::-1])[:, None], np.minimum(columns, columns[::-1])[None, :])
    return inset


def _warped(rng: np.random.Generator, canvas: Canvas, picture: Image.Image, reach: float) -> Image.Image:
    """Moves pixels by smooth noise, up to `reach` of them, so that edges wobble like a brush's."""
    down, across = ((canvas.noise(rng, 11, 11) - 0.5) * 2 * reach for _ in range(2))
    rows = np.clip(np.arange(canvas.rows)[:, None] + down, 0, canvas.rows - 1).astype(int)
    columns = np.clip(np.arange(canvas.columns)[None, :] + across, 0, canvas.columns - 1).astype(int)
    return Image.fromarray(np.asarray(picture)[rows, columns])


def _pixel_art(picture: Image.Image) -> Image.Image:
    """Big square pixels of few colours."""
    cells = picture.width // CELL, picture.height // CELL
    small = picture.resize(cells, Image.Resampling.BOX)
    vivid = ImageEnhance.Color(ImageEnhance.Contrast(small).enhance(1.1)).enhance(1.15)
    flat = vivid.quantize(CELL_COLOURS, kmeans=2, dither=Image.Dither.NONE).convert("RGB")
    return flat.resize(picture.size, Image.Resampling.NEAREST)


def _sketch(picture: Image.Image) -> Image.Image:
    """Grey pencil on warm paper: outlines, and the side of the lead, rubbed soft, where the picture is dark."""
    lines = _edges(picture, 0.08, 0.24)
    grey = _floats(_contrasted(picture).convert("L").filter(ImageFilter.MedianFilter(3)).filter(ImageFilter.BoxBlur(3)))
    tone = 0.05 * np.clip((0.8 - grey) / 0.3, 0.0, 1.0)
    tone = tone + 0.12 * np.clip((0.46 - grey) / 0.12, 0.0, 1.0)
    tone = tone + 0.13 * np.clip((0.24 - grey) / 0.1, 0.0, 1.0)
    pencil = np.maximum(0.88 * lines, tone)[..., None]
    return _to_image(PAPER + (PENCIL - PAPER) * pencil)


def _neon(picture: Image.Image) -> Image.Image:
    """Bright glowing lines in the colours of the forms, in the dark."""
    lines = _edges(picture, 0.09, 0.22)
    local = _floats(_striking(picture))
    least, most = local.min(axis=2, keepdims=True), local.max(axis=2, keepdims=True)
    hue = (local - least) / np.maximum(most - least, 0.12)
    pale = 1.0 - hue.max(axis=2, keepdims=True)
    vivid = np.clip(0.12 + 0.88 * hue + pale * ICE, 0.0, 1.0)
    tubes = vivid * lines[..., None]
    glow = _glow(_to_image(tubes))
    dark = NIGHT + _floats(picture) * DIMMED
    lit = dark + (1.0 - dark) * np.clip(glow, 0.0, 0.85)
    lit = lit + (tubes - lit) * lines[..., None]
    return _to_image(lit + 0.22 * lines[..., None] ** 2)


def _glow(tubes: Image.Image) -> Array:
    """The light around bright lines, near and far."""
    half = tubes.reduce(2)
    near = half.filter(ImageFilter.BoxBlur(1.5)).filter(ImageFilter.BoxBlur(1.5))
    far = half.filter(ImageFilter.BoxBlur(4.5)).filter(ImageFilter.BoxBlur(4.5))
    light = ImageChops.add(near, far).resize(tubes.size, Image.Resampling.BILINEAR)
    return _floats(light) * np.float32(1.45)


def _striking(picture: Image.Image) -> Image.Image:
    """For each pixel the nearby colour that is the most vivid and the least like the wider surroundings."""
    half = picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.BOX)
    colours = np.asarray(half, np.int16)
    wide = np.asarray(half.filter(ImageFilter.BoxBlur(18)), np.int16)
    score = np.abs(colours - wide).sum(axis=2) + colours.max(axis=2) - colours.min(axis=2)
    best, chosen = score, colours
    for shift in ((0, 2), (2, 0), (0, -2), (-2, 0)):
        rival = np.roll(score, shift, (0, 1))
        wins = rival > best
        chosen = np.where(wins[..., None], np.roll(colours, shift, (0, 1)), chosen)
        best = np.maximum(best, rival)
    return Image.fromarray(chosen.astype(np.uint8)).resize(picture.size, Image.Resampling.BILINEAR)


def _paper_cut(picture: Image.Image) -> Image.Image:
    """Flat sheets of coloured paper stacked with shadows between; the small and the low lie in front."""
    half = picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.BOX)
    calm = half.filter(ImageFilter.MedianFilter(3))
    flat = calm.quantize(LAYERS, kmeans=1, dither=Image.Dither.NONE)
    labels = np.asarray(flat.filter(ImageFilter.ModeFilter(5)))
    palette = np.resize(np.asarray(flat.getpalette()), (LAYERS, 3))
    depths = _depths(labels)
    order = np.argsort(depths)
    ranks = depths[labels]
    page = Image.new("RGB", picture.size, tuple(palette[order[0]].tolist()))
    for level in range(1, LAYERS):
        sheet = Image.fromarray(((ranks >= level) * 255).astype(np.uint8))
        _lay_sheet(page, sheet, palette[order[level]].tolist())
    return page


def _lay_sheet(page: Image.Image, sheet: Image.Image, colour: list[int]) -> None:
    """Lays a sheet, given in half the page's size, on the page with its shadow and a light cut edge."""
    if not sheet.getbbox():
        return
    smooth = sheet.filter(ImageFilter.BoxBlur(1)).resize(page.size, Image.Resampling.BICUBIC)
    cut = smooth.point([min(max(int((level - 128) * 5 + 128), 0), 255) for level in range(256)])
    shadow = _moved(sheet, 1, 0).filter(ImageFilter.BoxBlur(3))
    shadow = shadow.resize(page.size, Image.Resampling.BILINEAR).point([level * 6 // 10 for level in range(256)])
    page.paste((12, 8, 20), mask=shadow)
    page.paste(tuple(level + (255 - level) // 4 for level in colour), mask=cut)
    inner = ImageChops.darker(cut, _moved(cut, 2, 255))
    page.paste(tuple(colour), mask=inner)


def _moved(mask: Image.Image, by: int, fill: int) -> Image.Image:
    """The mask moved right and down by some pixels."""
    return mask.transform(mask.size, Image.Transform.AFFINE, (1, 0, -by, 0, 1, -by), fillcolor=fill)


def _depths(labels: Bytes) -> Bytes:
    """For each label how many others lie behind it."""
    counts = np.bincount(labels.ravel(), minlength=LAYERS)
    rows = np.broadcast_to(np.arange(labels.shape[0])[:, None], labels.shape)
    height = np.bincount(labels.ravel(), rows.ravel(), LAYERS) / np.maximum(counts, 1) / labels.shape[0]
    order = np.argsort(height - 1.5 * counts / labels.size)
    depths = np.empty(LAYERS, np.uint8)
    depths[order] = np.arange(LAYERS)
    return depths


def _oil(rng: np.random.Generator, picture: Image.Image) -> Image.Image:
    """Thick dabs of rich paint that follow the forms: broad ones first, finer ones where there is detail."""
    rich = ImageEnhance.Color(picture.filter(ImageFilter.MedianFilter(3))).enhance(1.3)
    canvas = Canvas(*picture.size)
    grey = np.asarray(_contrasted(rich).convert("L").filter(ImageFilter.BoxBlur(3)), np.float32)
    down, across = np.gradient(grey)
    steep = np.hypot(down, across)
    drift = np.pi * canvas.noise(rng, 2.5, 2.5) - 0.8
    flow = np.where(steep > 2.5, np.arctan2(across, -down), drift)
    page = rich.copy()
    near = _blurred((steep > 2.5).astype(np.float32), 7) > 0.03
    _dab(rng, page, rich, flow, ~near, step=9, width=12, length=26.0)
    _dab(rng, page, rich, flow, near, step=6, width=7, length=12.0)
    return page.filter(ImageFilter.SMOOTH)


def _dab(
    rng: np.random.Generator,
    page: Image.Image,
    source: Image.Image,
    flow: Array,
    where: NDArray[np.bool_],
    *,
    step: int,
    width: int,
    length: float,
) -> None:
    """Lays dabs about `step` apart along the flow, each in the colour of its middle, some lighter or darker."""
    grid = np.mgrid[0 : page.height : step, 0 : page.width : step].reshape(2, -1).T
    spots = rng.permutation(grid) + rng.integers(0, step, grid.shape)
    spots = np.minimum(spots, (page.height - 1, page.width - 1))
    spots = spots[where[spots[:, 0], spots[:, 1]]]
    y, x = spots.T
    angle = flow[y, x] + rng.normal(0.0, 0.15, len(x))
    reach = length * rng.uniform(0.7, 1.2, len(x)) / 2
    dx, dy = np.cos(angle) * reach, np.sin(angle) * reach
    ends = np.stack([x - dx, y - dy, x + dx, y + dy], axis=1).tolist()
    light = rng.normal(0.0, 8.0, (len(x), 1))
    inks = np.clip(np.asarray(source, np.float32)[y, x] + light, 0, 255).astype(int).tolist()
    pen = ImageDraw.Draw(page)
    for line, ink in zip(ends, inks, strict=True):
        pen.line(line, fill=tuple(ink), width=width)
