"""Makes the foreground's colour of one frame as it is written, and says what its pixels depend on.

The one home of this for files (`clip.py`) and for jobs of the server.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from videomama_client import __version__

from videomama_server.arrays import FloatArray
from videomama_server.foreground.estimate import estimate, sane_alpha
from videomama_server.media import color
from videomama_server.media.color import LinearLight
from videomama_server.media.declared_colour import INTEROP_IDS

_VERSION = 1  # raised when the same plate and alpha give another colour, so that no entry of before is found again


@dataclass(frozen=True)
class Colouring:
    """How the foreground's colour is made.

    Attributes:
        colorspace: of the plate; never `auto`. See `color.LinearLight` for what it becomes.
        premultiplied: whether colour is multiplied by alpha.
    """

    colorspace: str
    premultiplied: bool = False

    def make(self, plate: FloatArray, alpha: FloatArray) -> FloatArray:
        """Return the foreground's colour (H, W, 3) in linear light.

        Args:
            plate: (H, W, 3), as read.
            alpha: (H, W), 0..1.

        Raises:
            BadInput: the colour space is unknown.
        """
        colour = estimate(self._to_linear(plate), alpha)
        if self.premultiplied:
            colour *= sane_alpha(alpha)[..., None]
        return colour

    def key_fields(self) -> dict[str, Any]:
        """Return all but plate and alpha that the pixels and their header depend on; raises as `make`."""
        light = self._to_linear
        return {
            "version": _VERSION,
            "to_linear": light.fingerprint,
            "space": light.name,
            "premultiplied": self.premultiplied,
        }

    def attributes(self) -> dict[str, str]:
        """Return what a file's header says of itself: what made it, of what, in which colour space; raises as `make`.

        Nuke and OpenImageIO know spaces by their interop ID; a space that has none is named in the description alone.
        """
        space = self._to_linear.name
        mixed = "multiplied by alpha" if self.premultiplied else "not multiplied by alpha"
        said = {
            "Software": f"VideoMaMa bridge {__version__}",
            "ImageDescription": f"foreground colour, linear light in {space}, {mixed}",
        }
        interop = INTEROP_IDS.get(space)
        return {**said, "colorInteropID": interop} if interop else said

    @property
    def _to_linear(self) -> LinearLight:
        return color.linear_light(self.colorspace)
