"""Parts and views as hosts write them, through real files."""

from types import SimpleNamespace

import numpy as np
import OpenImageIO as oiio
import pytest
from videomama_client.errors import BadInput
from videomama_server.media import headers
from videomama_server.media.frames import probe, read_mask, read_plate
from videomama_server.media.geometry import Geometry, Rect

LEFT, RIGHT, OTHER = (np.full((48, 64), value, np.float16) for value in (0.25, 0.5, 0.75))


@pytest.fixture(scope="module")
def odd(load_bench):
    return load_bench("odd_pictures")


@pytest.fixture
def write(odd, tmp_path):
    """Write an EXR of parts: (name, view or empty, channel names, pixels)."""

    def make(*rows, **attributes):
        parts = []
        for name, view, channels, pixels in rows:
            more = {**attributes, **({"view": odd.text(view)} if view else {})}
            parts.append(odd.ExrPart(dict.fromkeys(channels, pixels), name, attributes=more))
        path = tmp_path / "p.exr"
        path.write_bytes(odd.exr(*parts))
        return path

    return make


def plate(path, layer="", view=""):
    return float(read_plate(path, layer, view).pixels[0, 0, 0])


def mask(path, channel="", view=""):
    return float(read_mask(path, channel, view).pixels[0, 0, 0])


@pytest.mark.parametrize("name", ["rgba", "RGBA", "rgb", "rgba.main", "rgba_main", "rgba.left", "rgb_hero"])
@pytest.mark.parametrize("view", ["", "attribute"])
def test_the_main_part_is_the_plate_whatever_its_view(write, name, view):
    named = name.replace("_", ".").partition(".")[2] if view else ""
    path = write((name, named, "RGBA", LEFT), (name.lower().replace("rgba", "depth"), named, "Z", OTHER))
    assert plate(path) == 0.25
    assert mask(path) == 0.25


@pytest.mark.parametrize("name", ["beauty", "sh010 comp", "left", "x.y"])
def test_a_single_part_is_the_plate_whatever_its_name(write, name):
    path = write((name, "", "RGB", LEFT))
    assert plate(path) == 0.25
    assert probe(path).channel_names == "R, G, B"


def test_a_part_called_as_a_view_is_one_only_where_there_are_others(write):
    assert probe(write(("left", "", "RGB", LEFT))).views == ()
    assert probe(write(("left", "", "RGB", LEFT), ("right", "", "RGB", RIGHT))).views == ("left", "right")


def test_the_only_part_with_colours_is_the_plate(write):
    path = write(("depth", "", "Z", OTHER), ("beauty", "", "RGB", LEFT), ("id", "", ["id"], OTHER))
    assert plate(path) == plate(path, "beauty") == plate(path, "Beauty") == 0.25


def test_of_several_layers_of_colours_none_is_guessed(write, raises_with_hint):
    path = write(("diffuse", "", "RGB", OTHER), ("beauty", "", "RGB", LEFT))
    assert plate(path, "beauty") == 0.25
    with raises_with_hint(BadInput, path, "no R, G and B"):
        plate(path)
    with pytest.raises(BadInput) as raised:
        plate(path)
    assert all(text in raised.value.hint for text in ("diffuse.R", "beauty.B", "--plate-layer"))


@pytest.mark.parametrize("mark", [".", "_"])
@pytest.mark.parametrize("attribute", [True, False])
def test_a_part_per_layer_and_view(write, mark, attribute):
    def name(layer, view):
        return f"{layer}{mark}{view}", view if attribute else ""

    path = write(
        (*name("rgba", "left"), "RGB", LEFT),
        (*name("matte", "left"), ["matte.A"], LEFT),
        (*name("rgba", "right"), "RGB", RIGHT),
        (*name("matte", "right"), "A", RIGHT),
    )
    assert probe(path).views == ("left", "right")
    assert (plate(path), plate(path, view="left"), plate(path, view="right")) == (0.25, 0.25, 0.5)
    assert plate(path, f"rgba{mark}right") == plate(path, "rgba.right") == plate(path, view="RIGHT") == 0.5
    assert (mask(path, "matte"), mask(path, "matte.A", "right")) == (0.25, 0.5)
    assert mask(path, "matte.right.A") == mask(path, "right.matte.alpha") == mask(path, f"matte{mark}right") == 0.5
    assert mask(path, f"matte{mark}right.A") == 0.5


@pytest.mark.parametrize("attribute", [True, False])
def test_a_part_per_view(write, attribute):
    rows = [(view, view if attribute else "", "RGBA", pixels) for view, pixels in (("left", LEFT), ("right", RIGHT))]
    path = write(*rows)
    assert (plate(path), plate(path, view="right"), plate(path, "right")) == (0.25, 0.5, 0.5)
    assert (mask(path), mask(path, view="right"), mask(path, "right.A")) == (0.25, 0.5, 0.5)


@pytest.mark.parametrize("layers", [("diffuse.right.", "right.diffuse."), ("right.diffuse.", "diffuse.right.")])
def test_views_in_the_names_of_channels_of_a_single_part(odd, tmp_path, layers):
    values = {**dict.fromkeys("RGB", LEFT), **{f"right.{name}": RIGHT for name in "RGB"}}
    values |= {f"{layers[0]}{name}": OTHER for name in "RGB"} | {"key.A": LEFT}
    path = tmp_path / "p.exr"
    path.write_bytes(odd.exr(odd.ExrPart(values, attributes={"multiView": odd.texts("left", "right")})))
    assert (plate(path), plate(path, view="left"), plate(path, view="right")) == (0.25, 0.25, 0.5)
    assert plate(path, "diffuse", "right") == plate(path, "right.diffuse") == plate(path, "diffuse.right") == 0.75
    assert mask(path, "key", "right") == 0.25  # of no view: of all


def test_a_view_that_is_not_there_is_an_error_that_lists_those_that_are(write, raises_with_hint):
    path = write(("rgba.left", "left", "RGBA", LEFT), ("rgba.right", "right", "RGBA", RIGHT))
    for read in (plate, mask):
        with raises_with_hint(BadInput, path, "no view 'centre'"):
            read(path, view="centre")
        with pytest.raises(BadInput, match=r"left, right"):
            read(path, view="centre")


def test_what_one_view_lacks_is_not_taken_from_the_other(write, raises_with_hint):
    path = write(("rgba.left", "left", "RGB", LEFT), ("rgba.right", "right", "RGB", RIGHT), ("m", "left", "A", LEFT))
    assert mask(path, "m", "left") == 0.25
    with raises_with_hint(BadInput, path, "no channel 'm'"):
        mask(path, "m", "right")


@pytest.mark.parametrize("view", ["", "main"])
def test_a_file_of_one_view_is_read_for_any(write, view):
    path = write(("rgba" + (view and f".{view}"), view, "RGBA", LEFT))
    assert plate(path, view="right") == mask(path, view="right") == 0.25


def test_facts_are_those_of_the_part_that_is_read(odd, tmp_path):
    numbers = odd.ExrPart({"id": np.ones((48, 64), np.uint32)}, "id")
    colours = odd.ExrPart(dict.fromkeys("RGB", LEFT), "rgba", attributes={"colorInteropID": odd.text("lin_ap1_scene")})
    path = tmp_path / "p.exr"
    path.write_bytes(odd.exr(numbers, colours))
    found = read_plate(path)
    assert found.is_float
    assert "lin_ap1" in found.declared.names
    assert not read_mask(path, "id").is_float


@pytest.mark.parametrize("name", ["CryptoObject00.R", "crypto_asset01.r", "CryptoObject.R"])
def test_a_cryptomatte_is_no_mask_and_the_message_says_what_to_do(odd, tmp_path, name, raises_with_hint):
    manifest = {"cryptomatte/f834d0a/name": odd.text("CryptoObject")}
    values = {**dict.fromkeys("RGBA", LEFT), name: OTHER.astype(np.float32)}
    path = tmp_path / "p.exr"
    path.write_bytes(odd.exr(odd.ExrPart(values, attributes=manifest)))
    assert mask(path) == 0.25
    for spoken in (name, name.rpartition(".")[0]):
        with raises_with_hint(BadInput, path, "Cryptomatte"):
            mask(path, spoken)


def test_attributes_of_another_type_than_they_should_have_are_left_out(odd, tmp_path):
    numbers = ("v2f", bytes(8))
    names = ("view", "multiView", "colorInteropID", "chromaticities", "envmap", "cryptomatte/1/name")
    path = tmp_path / "p.exr"
    path.write_bytes(odd.exr(odd.ExrPart(dict.fromkeys("RGB", LEFT), attributes=dict.fromkeys(names, numbers))))
    assert plate(path) == 0.25


@pytest.mark.parametrize(
    ("name", "turns"), [("p.tif", True), ("p.jpg", True), ("p.png", True), ("p.dpx", True), ("p.exr", False)]
)
def test_the_orientation_tag_turns_the_formats_that_cameras_and_scanners_write(tmp_path, name, turns):
    """OpenImageIO writes the tag into an EXR, too, where no reader looks for it."""
    spec = oiio.ImageSpec(64, 48, 3, {"p.exr": "half", "p.dpx": "uint16"}.get(name, "uint8"))
    spec.attribute("Orientation", 6)
    output = oiio.ImageOutput.create(str(tmp_path / name))
    assert output.open(str(tmp_path / name), spec)
    assert output.write_image(np.zeros((48, 64, 3), np.float32))
    output.close()
    found = probe(tmp_path / name).geometries[0].display
    assert (found.w, found.h) == ((48, 64) if turns else (64, 48))


def test_a_dpx_of_columns_has_whole_windows_from_the_corner_and_the_other_aspect():
    whole = Rect(0, 0, 48, 64)
    found = headers._transposed_dpx(SimpleNamespace(width=48, height=64), 2.0)
    assert found == Geometry(whole, whole, 0.5)
