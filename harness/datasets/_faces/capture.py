"""From the scene to the camera's pixels: background, light, colour, blur and noise."""

import numpy as np
from jaxtyping import Float, UInt8

from harness.datasets._faces.shapes import Canvas, Plane, coverage, length
from harness.datasets._faces.styles import Style


def draw_backdrop(style: Style, size: int, generator: np.random.Generator) -> Float[np.ndarray, "3 h w"]:
    """What stands behind the head in one clip: the style's pattern with its places and tints drawn at random."""
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
    y, x = np.meshgrid(axis, axis, indexing="ij")
    pattern = {
        "gradient": _gradient,
        "foliage": _foliage,
        "panels": _panels,
        "bokeh": _bokeh,
        "shelves": _shelves,
    }[style.background](x, y, generator)
    tint = np.array(style.backdrop) * generator.uniform(0.75, 1.2) * generator.uniform(0.92, 1.08, 3)
    seen: Canvas = np.clip(tint.reshape(3, 1, 1).astype(np.float32) * pattern, 0, 1)
    return seen


def light_up(canvas: Canvas, style: Style, exposure: Float[np.ndarray, " t"]) -> None:
    """Light from one side, the style's colours, and an exposure per frame; in place."""
    size = canvas.shape[-1]
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
    right, down = style.light
    falloff = 1 + np.float32(right) * axis.reshape(1, -1) + np.float32(down) * axis.reshape(-1, 1)
    canvas *= falloff * exposure.astype(np.float32).reshape(-1, 1, 1)
    if style.saturation != 1:
        grey = 0.299 * canvas[0] + 0.587 * canvas[1] + 0.114 * canvas[2]
        canvas -= grey
        canvas *= np.float32(style.saturation)
        canvas += grey
    for plane, gain in zip(canvas, style.gain, strict=True):
        plane *= np.float32(gain)


def expose(canvas: Canvas, style: Style, generator: np.random.Generator) -> UInt8[np.ndarray, "t r w"]:
    """The sensor's frames as planar YUV 4:2:0 (BT.601, limited range), luma above the two quarter-size chromas.

    Sensor noise falls on luma only, as most of what a camera's own processing leaves does.
    """
    for _ in range(style.blur):
        _soften(canvas)
    red, green, blue = canvas
    frames, height, width = red.shape
    luma = 65.481 * red + 128.553 * green + 24.966 * blue + 16
    luma += (219 * style.noise) * generator.standard_normal(luma.shape, dtype=np.float32)
    small = [(p[:, ::2, ::2] + p[:, 1::2, ::2] + p[:, ::2, 1::2] + p[:, 1::2, 1::2]) / 4 for p in canvas]
    u = -37.797 * small[0] - 74.203 * small[1] + 112 * small[2] + 128
    v = 112 * small[0] - 93.786 * small[1] - 18.214 * small[2] + 128
    stacked = np.concatenate([plane.reshape(frames, -1) for plane in (luma, u, v)], axis=1)
    limited: UInt8[np.ndarray, "t n"] = np.clip(np.rint(stacked), 16, 240).astype(np.uint8)
    return limited.reshape(frames, height * 3 // 2, width)


def _soften(canvas: Canvas) -> None:
    """A binomial filter (1 2 1) / 4 along both image axes, in place; the border pixels keep their values."""
    canvas[..., 1:-1, :] = 0.5 * canvas[..., 1:-1, :] + 0.25 * (canvas[..., :-2, :] + canvas[..., 2:, :])
    canvas[..., 1:-1] = 0.5 * canvas[..., 1:-1] + 0.25 * (canvas[..., :-2] + canvas[..., 2:])


def _gradient(x: Plane, y: Plane, generator: np.random.Generator) -> Plane:
    angle = generator.uniform(0, 2 * np.pi)
    return np.float32(1) + 0.25 * (np.float32(np.cos(angle)) * x + np.float32(np.sin(angle)) * y)


def _foliage(x: Plane, y: Plane, generator: np.random.Generator) -> Plane:
    pattern = np.ones_like(x)
    for fx, fy, phase in generator.uniform((-9, -9, 0), (9, 9, 6.28), (6, 3)).astype(np.float32):
        pattern += 0.12 * np.sin(fx * x + fy * y + phase)
    return pattern


def _panels(x: Plane, y: Plane, generator: np.random.Generator) -> Plane:
    width, phase = generator.uniform(3, 7), generator.uniform(0, 6.28)
    return np.where(np.sin(np.float32(width) * x + np.float32(phase)) > 0.85, np.float32(0.6), np.float32(1)) + 0.1 * y


def _bokeh(x: Plane, y: Plane, generator: np.random.Generator) -> Plane:
    pattern = np.ones_like(x)
    for cx, cy, radius, glow in generator.uniform((-1, -1, 0.05, 0.5), (1, 0.4, 0.16, 3.5), (7, 4)).astype(np.float32):
        pattern += glow * coverage(length(x - cx, y - cy) - radius, 0.08)
    return pattern


def _shelves(x: Plane, y: Plane, generator: np.random.Generator) -> Plane:
    tones = generator.uniform(0.6, 1.25, (6, 12)).astype(np.float32)
    row = np.clip(((y + 1) * 3).astype(np.intp), 0, 5)
    column = np.clip(((x + 1) * 6).astype(np.intp), 0, 11)
    return np.where((y + 1) * 3 % 1 < 0.12, np.float32(0.4), tones[row, column])
