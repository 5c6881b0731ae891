import numpy as np
import PyOpenColorIO as ocio
import pytest
from videomama_client.errors import BadInput
from videomama_server.media import color
from videomama_server.media.color import (
    BUILTIN_CONFIG,
    DISPLAY,
    LINEAR,
    DisplayTransform,
    display_transform,
    displayed,
    linear_light,
    resolve,
)
from videomama_server.media.declared_colour import Declared
from videomama_server.media.frames import Picture
from videomama_server.media.geometry import Geometry, Rect

RAW_CONFIG = """ocio_profile_version: 2
search_path: ""
roles:
  default: raw
  scene_linear: raw
file_rules:
  - !<Rule> {name: Default, colorspace: default}
displays:
  d:
    - !<View> {name: v, colorspace: raw}
active_displays: []
active_views: []
colorspaces:
  - !<ColorSpace>
    name: raw
    isdata: false
"""


@pytest.fixture(autouse=True)
def no_config_of_the_machine(monkeypatch):
    monkeypatch.delenv("OCIO", raising=False)


def swatch(*values):
    return np.array([[[value] * 3 for value in values]], np.float32)


def srgb(linear):
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def test_linear_rec709_becomes_srgb():
    linear = np.array([0.0, 0.001, 0.18, 0.5, 1.0])
    np.testing.assert_allclose(DisplayTransform(LINEAR, 0)(swatch(*linear))[0, :, 0], srgb(linear), atol=2e-4)


def test_srgb_stays_as_it_is():
    values = np.linspace(0, 1, 11)
    np.testing.assert_allclose(DisplayTransform(DISPLAY, 0)(swatch(*values))[0, :, 1], values, atol=1e-6)


def test_exposure_is_added_in_linear_light():
    one_stop = DisplayTransform(LINEAR, 1.0)(swatch(0.1))
    np.testing.assert_allclose(one_stop, DisplayTransform(LINEAR, 0)(swatch(0.2)), atol=1e-5)
    encoded = DisplayTransform(DISPLAY, -1.0)(swatch(srgb(0.4)))
    np.testing.assert_allclose(encoded, srgb(0.2), atol=2e-4)


def test_a_log_colour_space_of_the_built_in_config():
    grey = DisplayTransform("ACEScct", 0)(swatch(0.4135884))
    np.testing.assert_allclose(grey, srgb(0.18), atol=2e-3)


@pytest.mark.parametrize("exposure", [0.0, 32.0, -32.0])
@pytest.mark.parametrize("colorspace", [LINEAR, DISPLAY, "ACEScg", "ACEScct"])
def test_legal_but_odd_values_become_finite_and_0_to_1(colorspace, exposure):
    odd = swatch(np.nan, np.inf, -np.inf, -5.0, 60000.0, 1e30, 0.0)
    odd[0, 0] = 0.2, np.nan, 60000.0
    shown = DisplayTransform(colorspace, exposure)(odd)
    assert shown.dtype == np.float32
    assert np.isfinite(shown).all()
    assert shown.min() >= 0
    assert shown.max() <= 1


def test_nan_and_negatives_become_black_and_infinity_white():
    shown = DisplayTransform(LINEAR, 0)(swatch(np.nan, -5.0, -np.inf, np.inf, 60000.0))
    np.testing.assert_allclose(shown[0, :, 0], [0, 0, 0, 1, 1], atol=1e-6)


def exact(name, exposure, plate):
    """The conversion by OpenColorIO alone."""
    config = ocio.Config.CreateFromBuiltinConfig(BUILTIN_CONFIG)
    pixels = plate.copy()
    if exposure:
        config.getProcessor(name, LINEAR).getDefaultCPUProcessor().applyRGB(pixels)
        pixels *= 2**exposure
        name = LINEAR
    config.getProcessor(name, DISPLAY).getDefaultCPUProcessor().applyRGB(pixels)
    return np.clip(np.nan_to_num(pixels), 0, 1)


@pytest.mark.parametrize("exposure", [0.0, 1.5, -3.0])
@pytest.mark.parametrize(
    "name", [LINEAR, DISPLAY, "ACEScg", "ACES2065-1", "Linear P3-D65", "Gamma 2.2 Rec.709 - Texture", "ACEScct"]
)
def test_every_conversion_is_that_of_opencolorio_within_a_ten_thousandth(name, exposure):
    rng = np.random.default_rng(3)
    plate = np.float32(2.0) ** rng.uniform(-20, 15, (40, 50, 3)).astype(np.float32)
    plate[::3] = rng.random((14, 50, 3), np.float32)
    plate[::5, :, 1] = 0.0
    np.testing.assert_allclose(DisplayTransform(name, exposure)(plate), exact(name, exposure, plate), atol=1e-4)


def test_half_floats_become_what_opencolorio_makes_of_them_to_the_bit():
    halves = np.arange(0x7C00, dtype=np.uint16).view(np.float16).astype(np.float32)
    plate = np.repeat(halves[None, :, None], 3, axis=2)
    np.testing.assert_array_equal(DisplayTransform(LINEAR, 0)(plate), exact(LINEAR, 0, plate))


def test_what_is_looked_up_in_a_table_says_so_in_its_fingerprint():
    assert DisplayTransform(LINEAR, 0).fingerprint.endswith(" by table")
    assert not DisplayTransform("ACEScct", 0).fingerprint.endswith(" by table")
    assert not DisplayTransform("Cineon", 0).fingerprint.endswith(" by table")  # so steep that a table would be off


def test_the_plate_itself_is_left_alone():
    plate = swatch(np.nan, -1.0, 0.5)
    before = plate.copy()
    DisplayTransform(LINEAR, 1.0)(plate)
    np.testing.assert_array_equal(plate, before)


def test_fingerprints_differ_when_pixels_would():
    kinds = [(LINEAR, 0.0), (LINEAR, 1.0), ("ACEScg", 0.0), (DISPLAY, 0.0)]
    assert len({DisplayTransform(*kind).fingerprint for kind in kinds}) == len(kinds)
    assert DisplayTransform(LINEAR, 1.0).fingerprint == DisplayTransform(LINEAR, 1.0).fingerprint


@pytest.mark.parametrize(
    ("is_float", "declared", "asked"),
    [(True, "", LINEAR), (False, "", DISPLAY), (True, "ACEScct", "ACEScct"), (True, "ACEScct", "ACEScg")],
)
def test_a_plate_is_shown_by_what_is_asked_for_else_by_what_its_file_says(is_float, declared, asked):
    pixels, whole = swatch(0.18, 0.5), Rect(0, 0, 1, 2)
    plate = Picture(pixels, Geometry(whole, whole), is_float, Declared("x", (declared,) if declared else ()))
    named = [asked] if asked == "ACEScg" else []
    np.testing.assert_array_equal(displayed(plate, *named), display_transform(asked, 0.0)(pixels))
    np.testing.assert_array_equal(displayed(plate, *(named or ["auto"]), 1.0), display_transform(asked, 1.0)(pixels))


@pytest.mark.parametrize(("is_float", "name"), [(True, LINEAR), (False, DISPLAY)])
def test_auto_goes_by_the_files_pixels(is_float, name):
    assert resolve("auto", is_float) == name
    assert resolve("ACEScg", is_float) == "ACEScg"


def test_a_transform_is_made_once():
    assert display_transform(LINEAR, 0.25) is display_transform(LINEAR, 0.25)


def test_an_unknown_colour_space_is_an_error_that_lists_those_there_are(raises_with_hint):
    with raises_with_hint(BadInput, "'Kodachrome'"):
        DisplayTransform("Kodachrome", 0)
    with pytest.raises(BadInput) as raised:
        DisplayTransform("Kodachrome", 1.0)
    assert "ACEScg" in raised.value.hint


def test_an_environment_config_that_cannot_be_read_is_an_error_that_names_it(tmp_path, monkeypatch, raises_with_hint):
    for content in (None, "not a config"):
        path = tmp_path / f"{content}.ocio"
        if content:
            path.write_text(content)
        monkeypatch.setenv("OCIO", str(path))
        with raises_with_hint(BadInput, "$OCIO", path):
            DisplayTransform(LINEAR, 0)


def test_a_colour_space_of_the_environments_config(monkeypatch):
    monkeypatch.setenv("OCIO", "ocio://cg-config-v2.1.0_aces-v1.3_ocio-v2.3")
    shown = DisplayTransform("ACEScg", 0)(swatch(0.18))
    np.testing.assert_allclose(shown, srgb(0.18), atol=2e-3)


def test_names_the_environments_config_lacks_are_looked_up_in_the_built_in_one(tmp_path, monkeypatch):
    path = tmp_path / "own.ocio"
    path.write_text(RAW_CONFIG)
    monkeypatch.setenv("OCIO", str(path))
    np.testing.assert_allclose(DisplayTransform(LINEAR, 0)(swatch(0.18)), srgb(0.18), atol=2e-3)


def test_a_config_that_cannot_be_connected_to_the_built_in_one_is_an_error(tmp_path, monkeypatch, raises_with_hint):
    path = tmp_path / "own.ocio"
    path.write_text(RAW_CONFIG)
    monkeypatch.setenv("OCIO", str(path))
    with raises_with_hint(BadInput, "'raw'"):
        DisplayTransform("raw", 0)


@pytest.mark.parametrize("name", [LINEAR, "ACEScg"])
def test_a_linear_space_is_light_already(name):
    plate = np.array([[[-0.2, 3.0, 0.5]]], np.float32)
    assert linear_light(name)(plate) is plate


def test_a_curve_is_taken_off_and_nothing_is_cut():
    plate = swatch(0.5, 1.0)
    found = linear_light(DISPLAY)(plate)[0, :, 0]
    np.testing.assert_allclose(found, [((0.5 + 0.055) / 1.055) ** 2.4, 1.0], atol=1e-4)
    np.testing.assert_array_equal(plate, swatch(0.5, 1.0))
    assert linear_light("ACEScct")(swatch(1.0)).min() > 100


def test_light_of_an_unknown_space():
    with pytest.raises(BadInput, match="unknown colour space"):
        linear_light("nonsense")


@pytest.mark.parametrize(("code", "linear"), [(685, 1.0), (95, 0.0), (470, 0.183195)])
def test_cineon_has_white_at_685_and_black_at_95(code, linear):
    found = linear_light("Cineon")(np.full((2, 2, 3), code / 1023, np.float32))
    np.testing.assert_allclose(found, linear, atol=3e-5)


def test_the_added_space_changes_no_other_one():
    """Keys of alphas hold the transform's fingerprint."""
    plain = ocio.Config.CreateFromBuiltinConfig(BUILTIN_CONFIG)
    for name in ("lin_rec709", "ACEScg", "ARRI LogC4"):
        processor = ocio.Config.GetProcessorFromConfigs(plain, name, plain, DISPLAY).getDefaultCPUProcessor()
        assert display_transform(name, 0.0).fingerprint.removesuffix(" by table") == f"0 {processor.getCacheID()}"


class Added:
    """A conversion that adds a number."""

    def __init__(self, number):
        self.number = number

    def applyRGB(self, pixels):  # noqa: N802  (as OpenColorIO calls it)
        pixels += self.number


@pytest.mark.parametrize(("number", "linear"), [(0.0, True), (5.5e-5, True), (6.5e-5, False)])
def test_a_conversion_is_linear_within_rounding(number, linear):
    assert color._is_linear(Added(np.float32(number))) == linear


def test_a_shorter_way_is_tried_on_colours_of_all_kinds():
    seen = []
    fast = color._Fast(None, color.CurveTable(lambda numbers: np.clip(numbers, 0, 1)))
    error = fast.error(lambda colours: (seen.append(colours), np.clip(colours, 0, 1) + np.float32(0.25))[1])
    assert error == pytest.approx(0.25, abs=1e-3)
    (colours,) = seen
    assert colours.shape == (1, 4096, 3)
    assert np.flatnonzero(colours[0, :, 0] == 0).tolist() == list(range(0, 4096, 4))
    stops = np.log2(colours[0, :, 1])
    assert (stops.min(), stops.max()) == pytest.approx((-14, 8), abs=0.05)
    assert fast.error(lambda colours: fast(colours)) == pytest.approx(fast.curve.error)


def test_a_table_that_is_off_by_more_than_a_ten_thousandth_is_not_taken(monkeypatch):
    for error, taken in ((0.99e-4, True), (1.01e-4, False)):
        monkeypatch.setattr(color._Fast, "error", lambda *_, error=error: error)
        assert DisplayTransform("ACEScg", 0).fingerprint.endswith(" by table") == taken


def test_values_are_held_between_black_and_the_most():
    held = color._held(swatch(-1.0, 0.5, 3.0), 2.0)[0, :, 0]
    assert (held.dtype, held.tolist()) == (np.float32, [0, 0.5, 2])
    assert color._held(swatch(np.nan, -np.inf, np.inf, 0.5), 2.0)[0, :, 0].tolist() == [0, 0, 2, 0.5]
    assert color._held(np.zeros((0, 3, 3), np.float32), 1.0).shape == (0, 3, 3)
    assert color._is_sane(swatch(0.0, 65504.0))
    for odd in (swatch(-1e-6, 1.0), swatch(65505.0), swatch(np.nan, 0.5), np.zeros((0, 3, 3), np.float32)):
        assert not color._is_sane(odd)


def test_a_plate_with_nan_is_shown_by_table_as_well():
    plate = swatch(np.nan, 0.2, 0.5)
    clean = swatch(0.0, 0.2, 0.5)
    np.testing.assert_array_equal(DisplayTransform("ACEScg", 1.0)(plate), DisplayTransform("ACEScg", 1.0)(clean))


def test_what_is_declared_is_doubted_only_where_it_was_not_taken():
    unknown = Declared("odd colours", ("odd",))
    assert color.doubt("auto", True, unknown) == (
        "the plate declares odd colours, which OpenColorIO does not know by a name; lin_rec709 was taken. "
        "Name the right space with --colorspace"
    )
    assert color.doubt("auto", True, Declared("", ("odd",))) == ""
    assert color.doubt(LINEAR, True, unknown) == ""
    assert resolve("auto", True, Declared("x", ("odd", "ACEScg", "ACEScct"))) == "ACEScg"
