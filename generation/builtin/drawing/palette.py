"""The named colours."""

from generation.builtin.drawing.canvas import Colour

COLOURS: dict[str, Colour] = {
    "red": (0.88, 0.13, 0.14),
    "orange": (0.98, 0.52, 0.08),
    "yellow": (0.99, 0.86, 0.14),
    "green": (0.16, 0.64, 0.24),
    "blue": (0.14, 0.32, 0.86),
    "purple": (0.50, 0.20, 0.72),
    "pink": (0.98, 0.50, 0.70),
    "brown": (0.45, 0.27, 0.14),
    "black": (0.06, 0.06, 0.07),
    "white": (0.97, 0.97, 0.96),
    "gray": (0.52, 0.53, 0.55),
    "turquoise": (0.16, 0.76, 0.76),
}
