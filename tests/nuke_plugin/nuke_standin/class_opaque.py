"""What the double does not know of a script: classes, knobs, values. It keeps their text and gives it back."""

from __future__ import annotations

from typing import Any

from nuke_standin import knobs

# Classes that Nuke has and that Python may make; a script may hold any other class too.
_NAMES = """
    Tracker3 TransformMasked CornerPin2D Position Mirror2 Keylight Primatte3
    IBKGizmoV3 IBKColourV3 TimeClip AppendClip Kronos OFlow2 FrameRange FrameBlend TimeBlur TimeEcho
    MergeExpression ShuffleCopy ChannelMerge Keymix Dissolve Dilate Erode FilterErode Defocus
    ZDefocus2 Sharpen Soften Median EdgeBlur Invert Clamp Multiply Add Gamma Saturation ColorCorrect ColorLookup
    HueCorrect Colorspace OCIOColorSpace OCIOFileTransform OCIOLogConvert Log2Lin VectorDistort SmartVector
    LensDistortion2 Noise Ramp Radial Rectangle Text2 Grid ColorBars Glow2 GodRays LightWrap DegrainSimple DenoiseV2
    Inference
    CopyCat AddChannels AdjBBox BlackOutside Assert PostageStamp
"""
NAMES = frozenset(_NAMES.split())


class Opaque_Knob(knobs.String_Knob):  # noqa: N801 - named as Nuke's are
    """A knob of which the double knows the text alone, as the script has it."""

    def _is_default(self) -> bool:
        return False

    def _expressions(self) -> list[str]:
        return [self._text]

    def _rename(self, word: Any, new: str) -> None:
        self._text = word.sub(new, self._text)


def knob_in_place_of(old: Any, name: str) -> Opaque_Knob:
    """Return a knob of text with the looks of one whose value cannot be read."""
    made = Opaque_Knob(name)
    if old is not None:
        made._label, made._tooltip, made._flags = old._label, old._tooltip, old._flags
        made._user_kind, made._added = old._user_kind, getattr(old, "_added", False)
        made._definition = old._definition and ("", old._definition[1])
    return made
