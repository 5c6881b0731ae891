"""Real EXR files for the tests of the stand-in's pixels, written and read with OpenImageIO itself."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import OpenImageIO as oiio
import pytest


def write(path, pixels, names="RGBA", *, dtype="float", display=None, origin=(0, 0), aspect=1.0):
    """Write one picture; `display` is x, y, w, h and `origin` that of the data window, y down as in the file."""
    pixels = np.ascontiguousarray(pixels, np.float32)
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    height, width, count = pixels.shape
    spec = oiio.ImageSpec(width, height, count, dtype)
    spec.x, spec.y = origin
    spec.full_x, spec.full_y, spec.full_width, spec.full_height = display or (*origin, width, height)
    spec.channelnames = tuple(names)
    spec.attribute("PixelAspectRatio", aspect)
    path.parent.mkdir(parents=True, exist_ok=True)
    output = oiio.ImageOutput.create(str(path))
    assert output.open(str(path), spec), output.geterror()
    assert output.write_image(pixels), output.geterror()
    output.close()
    return str(path).replace("\\", "/")


def flat(path, colour, *, size=(8, 6), **more):
    """One colour over the whole picture."""
    names = more.pop("names", "RGBA"[: len(colour)])
    return write(path, np.broadcast_to(np.float32(colour), (size[1], size[0], len(colour))), names, **more)


def read(path):
    """All of a file as stored: names, pixels (top row first), windows, kind, compression."""
    source = oiio.ImageInput.open(str(path))
    assert source is not None, oiio.geterror()
    spec = source.spec()
    pixels = np.asarray(source.read_image("float")).reshape(spec.height, spec.width, spec.nchannels)
    source.close()
    return SimpleNamespace(
        names=list(spec.channelnames),
        pixels=pixels,
        display=(spec.full_x, spec.full_y, spec.full_width, spec.full_height),
        data=(spec.x, spec.y, spec.width, spec.height),
        aspect=spec.get_float_attribute("PixelAspectRatio", 1.0),
        dtype=str(spec.format),
        compression=spec.get_string_attribute("compression"),
        channel=lambda name: pixels[..., list(spec.channelnames).index(name)],
    )


@pytest.fixture
def exr():
    """`exr.write`, `exr.flat` and `exr.read`."""
    return SimpleNamespace(write=write, flat=flat, read=read)
