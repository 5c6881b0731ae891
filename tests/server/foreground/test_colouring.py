import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.foreground import Colouring, estimate
from videomama_server.media import color
from videomama_server.media.declared_colour import LINEAR


@pytest.fixture(autouse=True)
def no_config_of_the_machine(monkeypatch):
    monkeypatch.delenv("OCIO", raising=False)


@pytest.fixture
def soft():
    """An alpha with a wide edge."""
    return np.tile(np.clip((np.arange(64, dtype=np.float32) - 20) / 16, 0, 1), (48, 1))


def test_a_linear_plate_keeps_its_primaries(pictures, soft):
    plate = pictures.scene(1)
    np.testing.assert_array_equal(Colouring("ACEScg").make(plate, soft), estimate(plate, soft))


def test_any_other_plate_becomes_linear_light(pictures, soft):
    plate = np.clip(pictures.scene(1) / 2, 0, 1)
    found = Colouring("srgb_tx").make(plate, soft)
    np.testing.assert_array_equal(found, estimate(color.linear_light("srgb_tx")(plate), soft))


def test_premultiplied_is_colour_times_alpha(pictures, soft):
    plate = pictures.scene(1)
    straight = Colouring(LINEAR).make(plate, soft)
    np.testing.assert_array_equal(Colouring(LINEAR, True).make(plate, soft), straight * soft[..., None])


def test_what_changes_pixels_or_header_is_in_the_key():
    known = [Colouring(LINEAR), Colouring(LINEAR, True), Colouring("ACEScg"), Colouring("srgb_tx"), Colouring("Cineon")]
    assert all(one.key_fields() != other.key_fields() for one in known for other in known if one is not other)
    assert Colouring(LINEAR).key_fields() == Colouring(LINEAR).key_fields()


def test_another_config_under_the_same_name_is_another_key(tmp_path, monkeypatch):
    def config(gamma):
        path = tmp_path / f"{gamma}.ocio"
        path.write_text(
            "ocio_profile_version: 2\nroles: {default: own, aces_interchange: aces}\nfile_rules:\n"
            "  - !<Rule> {name: Default, colorspace: default}\ndisplays:\n  d:\n"
            "    - !<View> {name: v, colorspace: own}\n"
            "colorspaces:\n  - !<ColorSpace> {name: aces}\n  - !<ColorSpace>\n    name: own\n"
            f"    to_scene_reference: !<ExponentTransform> {{value: [{gamma}, {gamma}, {gamma}, 1]}}\n"
        )
        monkeypatch.setenv("OCIO", str(path))
        color.linear_light.cache_clear()
        return Colouring("own").key_fields()

    one, other = config(2.2), config(2.4)
    color.linear_light.cache_clear()
    assert one != other


@pytest.mark.parametrize(
    ("space", "interop", "named"),
    [
        (LINEAR, "lin_rec709_scene", LINEAR),
        ("ACEScg", "lin_ap1_scene", "ACEScg"),
        ("srgb_tx", "lin_rec709_scene", LINEAR),
        ("Linear ARRI Wide Gamut 4", None, "Linear ARRI Wide Gamut 4"),
    ],
)
def test_a_header_names_the_space_of_the_result(space, interop, named):
    said = Colouring(space).attributes()
    assert said.get("colorInteropID") == interop
    assert f"linear light in {named}, not multiplied by alpha" in said["ImageDescription"]
    assert "in " + named + ", multiplied by alpha" in Colouring(space, True).attributes()["ImageDescription"]


def test_an_unknown_colour_space_is_bad_input(raises_with_hint):
    with raises_with_hint(BadInput, "unknown colour space 'nonsense'"):
        Colouring("nonsense").key_fields()


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Colouring) == {"premultiplied": False}
