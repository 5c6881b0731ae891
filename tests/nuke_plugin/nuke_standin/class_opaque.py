"""Classes that Nuke has and the double does not: their nodes load, keep their knobs as text and make no picture."""

from __future__ import annotations

from nuke_standin import knobs

_NAMES = """
    Tracker3 Tracker4 Transform TransformMasked CornerPin2D Position Mirror2 Roto RotoPaint Keyer Keylight Primatte3
    IBKGizmoV3 IBKColourV3 Retime TimeWarp TimeClip AppendClip Kronos OFlow2 FrameRange FrameBlend TimeBlur TimeEcho
    Expression MergeExpression Shuffle ShuffleCopy ChannelMerge Keymix Dissolve Dilate Erode FilterErode Defocus
    ZDefocus2 Sharpen Soften Median EdgeBlur Invert Clamp Multiply Add Gamma Saturation ColorCorrect ColorLookup
    HueCorrect Colorspace OCIOColorSpace OCIOFileTransform OCIOLogConvert Log2Lin VectorDistort SmartVector
    LensDistortion2 Noise Ramp Radial Rectangle Text2 Grid ColorBars Glow2 GodRays LightWrap DegrainSimple DenoiseV2
    Inference
    CopyCat AddChannels AdjBBox BlackOutside Assert PostageStamp
"""
NAMES = frozenset(_NAMES.split())


class Opaque_Knob(knobs.String_Knob):  # noqa: N801 - named as Nuke's are
    """A knob of such a node: the text that the script has."""
