"""Inputs as real ones are: photographs and pages of text from scikit-image's package, and sounds that are computed."""

import os

import numpy as np
from PIL import Image

PHOTOS = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "ihc.png", "motorcycle_left.png")
MEAN, DEVIATION = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])


def folder_of(package, *parts):
    """Of an installed package, without importing it: most want packages that are not needed here."""
    from importlib.util import find_spec

    return os.path.join(list(find_spec(package).submodule_search_locations)[0], *parts)


def cut(names, count, share, size, seed):
    """[count, 3, height, width] from 0 to 1: pieces of pictures; `share`: height and width of a piece in the picture's."""
    random = np.random.default_rng(seed)
    pictures = [Image.open(folder_of("skimage", "data", name)).convert("RGB") for name in names]
    pieces = []
    for at in range(count):
        picture = pictures[at % len(pictures)]
        height, width = (max(1, int(part * side)) for part, side in zip(share, (picture.height, picture.width)))
        top, left = random.integers(picture.height - height + 1), random.integers(picture.width - width + 1)
        piece = picture.crop((left, top, left + width, top + height)).resize((size[1], size[0]), Image.BILINEAR)
        pieces.append(np.asarray(piece, np.float32) / 255)
    return np.ascontiguousarray(np.stack(pieces).transpose(0, 3, 1, 2))


def photos(count, size, seed=0):
    """As torchvision's nets are fed."""
    x = cut(PHOTOS, count, (0.6, 0.6), (size, size), seed)
    return (x - MEAN.reshape(3, 1, 1)) / DEVIATION.reshape(3, 1, 1)


def plain_photos(count, size):
    """From 0 to 1."""
    return cut(PHOTOS, count, (0.8, 0.8), (size, size), 1)


def pages(count, size):
    """As PP-OCR's detector of text is fed."""
    x = cut(("page.png", "text.png"), count, (0.8, 0.6), (size, size), 2)
    return (x - MEAN.reshape(3, 1, 1)) / DEVIATION.reshape(3, 1, 1)


def lines(count, height, width):
    """Strips of a page, as PP-OCR's readers are fed: -1 to 1."""
    return 2 * cut(("page.png",), count, (0.09, 0.35), (height, width), 3) - 1


def sounds(count, length, rate):
    """[count, length]: a voice's pitch with its overtones, swelling, in a little noise; every fourth is noise alone."""
    random = np.random.default_rng(4)
    time = np.arange(length) / rate
    found = []
    for at in range(count):
        noise = 0.01 * random.standard_normal(length)
        pitch = 90 * 2 ** (2 * random.random())
        tones = sum(np.sin(2 * np.pi * pitch * k * time + 6 * random.random()) / k for k in range(1, 12))
        swell = 0.5 + 0.5 * np.sin(2 * np.pi * (2 + 3 * random.random()) * time)
        found.append(noise if at % 4 == 3 else noise + 0.1 * tones * swell)
    return np.float32(found)


def batches_of(model, feeds, said={}):
    """One feed after another, each of the batch size that the file wants, or that is said of an input."""
    stored = {tensor.name for tensor in model.graph.initializer}
    inputs = [one for one in model.graph.input if one.name not in stored]
    sizes = {one.name: (list(one.type.tensor_type.shape.dim) or [None])[0] for one in inputs}
    steps = {name: (dim.dim_value or 1) if dim is not None else None for name, dim in sizes.items()}
    steps.update({name: shape[0] for name, shape in said.items() if isinstance(shape, list)})
    count = max(len(x) // (steps[name] or len(x)) for name, x in feeds.items())
    def part(name, at):
        step, x = steps[name], feeds[name]
        if step is None:
            return x.reshape(())
        return x if len(x) == step else x[at * step : (at + 1) * step]
    return [{name: part(name, at) for name in feeds} for at in range(count)]
