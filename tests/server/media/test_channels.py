from dataclasses import replace
from pathlib import Path

import pytest
from videomama_client.errors import BadInput
from videomama_server.media import channels
from videomama_server.media.channels import Channel, Header, Part, is_float, mask_channel, plate_channels
from videomama_server.media.geometry import Geometry, Rect

FULL = Rect(0, 0, 64, 48)
PARTS = (Part(Geometry(FULL, FULL)),) * 2


def header(*names):
    return Header(Path("/shots/p.1001.exr"), tuple(Channel(0, i, name) for i, name in enumerate(names)), PARTS)


def chosen(channels):
    return [channel.name for channel in channels]


@pytest.mark.parametrize(
    ("name", "layer", "component"),
    [
        ("R", "", "r"),
        ("rgba.red", "", "r"),
        ("RGB.G", "", "g"),
        ("diffuse.R", "diffuse", "r"),
        ("Diffuse.blue", "diffuse", "b"),
        ("left.diffuse.alpha", "left.diffuse", "a"),
        ("depth.Z", "depth", "z"),
        ("Y", "", "y"),
    ],
)
def test_a_channel_names_its_layer_and_component(name, layer, component):
    channel = Channel(0, 0, name)
    assert (channel.layer, channel.component) == (layer, component)


@pytest.mark.parametrize("layer", ["", "rgba", "RGB"])
def test_plate_is_the_main_layer_in_the_order_r_g_b(layer):
    found = header("A", "B", "G", "R", "diffuse.R", "diffuse.G", "diffuse.B")
    assert chosen(plate_channels(found, layer)) == ["R", "G", "B"]


@pytest.mark.parametrize("layer", ["diffuse", "Diffuse"])
def test_plate_of_a_named_layer(layer):
    found = header("R", "G", "B", "diffuse.red", "diffuse.green", "diffuse.blue")
    assert chosen(plate_channels(found, layer)) == ["diffuse.red", "diffuse.green", "diffuse.blue"]


@pytest.mark.parametrize(("names", "taken"), [(["Y"], "Y"), (["Y", "A"], "Y"), (["Z"], "Z")])
def test_a_single_channel_stands_for_all_three(names, taken):
    assert chosen(plate_channels(header(*names), "")) == [taken] * 3


def test_the_first_of_two_equal_channels_is_taken():
    found = Header(Path("p"), tuple(Channel(part, i, name) for part in (0, 1) for i, name in enumerate("RGB")), PARTS)
    assert [channel.part for channel in plate_channels(found, "")] == [0, 0, 0]


@pytest.mark.parametrize(("names", "layer"), [(["R", "G"], ""), (["R", "G", "B"], "diffuse"), (["u.X", "u.Z"], "u")])
def test_a_plate_without_colours_is_an_error_that_lists_the_channels(names, layer, raises_with_hint):
    with raises_with_hint(BadInput, "/shots/p.1001.exr", layer):
        plate_channels(header(*names), layer)
    with pytest.raises(BadInput) as raised:
        plate_channels(header(*names), layer)
    assert all(name in raised.value.hint for name in names)


@pytest.mark.parametrize(
    ("names", "taken"),
    [
        (["R", "G", "B", "A"], "A"),
        (["R", "G", "B"], "R"),
        (["Y"], "Y"),
        (["Y", "A"], "A"),
        (["matte.Z"], "matte.Z"),
        (["rgba.red", "rgba.alpha"], "rgba.alpha"),
        (["Y", "depth.Z"], "Y"),
    ],
)
def test_without_a_name_the_mask_is_a_or_the_only_channel_or_red(names, taken):
    assert mask_channel(header(*names), "").name == taken


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("roto.A", "roto.A"),
        ("roto.alpha", "roto.A"),
        ("roto", "roto.A"),
        ("ROTO", "roto.A"),
        ("key", "key.X"),
        ("alpha", "A"),
        ("rgba.red", "R"),
        ("rgba.green", "G"),
        ("rgba.blue", "B"),
        ("rgba.alpha", "A"),
        ("B", "B"),
        ("g", "G"),
    ],
)
def test_a_mask_channel_by_name(name, taken):
    assert mask_channel(header("R", "G", "B", "A", "roto.R", "roto.A", "key.X"), name).name == taken


@pytest.mark.parametrize("name", ["roto.B", "nothing", "uv"])
def test_a_mask_channel_that_is_not_there_is_an_error_that_lists_the_channels(name, raises_with_hint):
    found = header("R", "roto.A", "uv.X", "uv.Y")
    with raises_with_hint(BadInput, "/shots/p.1001.exr", name):
        mask_channel(found, name)
    with pytest.raises(BadInput) as raised:
        mask_channel(found, name)
    assert "R, roto.A, uv.X, uv.Y" in raised.value.hint


def test_a_file_with_nothing_to_take_as_mask_is_an_error(raises_with_hint):
    with raises_with_hint(BadInput, "/shots/p.1001.exr"):
        mask_channel(header("uv.X", "uv.Y"), "")


def test_red_is_no_mask_where_other_layers_may_hold_one(raises_with_hint):
    with raises_with_hint(BadInput, "no channel to take as mask"):
        mask_channel(header("R", "G", "B", "roto.A"), "")


@pytest.mark.parametrize("choose", [plate_channels, mask_channel])
def test_a_layer_called_as_a_view_that_the_file_does_not_declare_is_never_read_past(choose, raises_with_hint):
    with raises_with_hint(BadInput, "has a layer 'right', and does not say that it is a view"):
        choose(header("R", "G", "B", "A", "right.R", "right.G", "right.B", "right.A"), "", "right")


def test_a_file_without_views_serves_any_view():
    assert chosen(plate_channels(header("R", "G", "B"), "", "right")) == ["R", "G", "B"]


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Part) == {"orientation": 1, "min_is_white": False}


def test_a_layer_that_only_the_other_view_has_is_not_taken_for_this_one(raises_with_hint):
    channels = (Channel(0, 0, "roto.A", "left"), Channel(0, 1, "matte.A", "right"))
    both = Header(Path("/shots/p.1001.exr"), channels, PARTS, ("left", "right"))
    assert mask_channel(both, "roto", "left").name == "roto.A"
    assert mask_channel(both, "matte", "right").name == "matte.A"
    with raises_with_hint(BadInput, "matte"):
        mask_channel(both, "matte", "left")


@pytest.mark.parametrize(("kinds", "floats"), [("half float", True), ("half uint8", False), ("uint16", False)])
def test_channels_are_floats_where_each_is_stored_as_one(kinds, floats):
    channels = [Channel(0, index, "R", kind=kind) for index, kind in enumerate(kinds.split())]
    assert is_float(channels) is floats


@pytest.mark.parametrize(("views", "said"), [((), ""), (("left",), ""), (("left", "right"), "left, right")])
def test_what_is_there_names_the_views_where_there_is_a_choice(views, said):
    there = replace(header("R", "G"), views=views).there
    assert there == "Channels in the file: R, G." + (f" Views: {said} (choose with --view)." if said else "")


@pytest.mark.parametrize(
    ("name", "view", "found"),
    [
        ("beauty.right", "left", ["right"]),  # the name says which view
        ("BEAUTY.LEFT", "right", ["left"]),
        ("depth", "left", [""]),
        ("matte", "right", ["right"]),
        ("matte", "", ["left"]),
        ("matte", "left", ["left"]),
        ("roto", "", []),
    ],
)
def test_a_part_is_named_with_its_view_or_beside_one(name, view, found):
    names = [("beauty.left", "left"), ("beauty.right", "right"), ("depth", ""), ("matte", "left"), ("matte", "right")]
    parts = tuple(Part(Geometry(FULL, FULL), name=part) for part, _ in names)
    there = tuple(Channel(index, 0, "A", view=of) for index, (_, of) in enumerate(names))
    of_part = channels._of_part(Header(Path("/p.exr"), there, parts, ("left", "right")), name, view)
    assert [channel.view for channel in of_part] == found
