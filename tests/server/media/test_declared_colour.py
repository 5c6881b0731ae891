import pytest
from videomama_server.media import color
from videomama_server.media.declared_colour import CINEON, DISPLAY, LINEAR, UNDECLARED, luminance_weights, read

REC709 = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)
AP1 = (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767)
P3_DCI = (0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.314, 0.351)


def declared(suffix, **attributes):
    return read(suffix, {name.replace("__", ":"): value for name, value in attributes.items()}.get)


@pytest.mark.parametrize(
    ("suffix", "attributes", "space"),
    [
        (".dpx", {"dpx__Transfer": "Logarithmic"}, CINEON),
        (".dpx", {"dpx__Transfer": "Printing density"}, CINEON),
        (".dpx", {"dpx__Transfer": "Linear"}, LINEAR),
        (".DPX", {"dpx__Transfer": "ITU-R 709-4"}, "Camera Rec.709"),
        (".dpx", {"dpx__Transfer": "User defined", "oiio__Gamma": 2.2}, "Gamma 2.2 Rec.709 - Texture"),
        (".exr", {"chromaticities": AP1}, "ACEScg"),
        (".exr", {"chromaticities": (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767)}, "ACES2065-1"),
        (".exr", {"chromaticities": (0.708, 0.292, 0.17, 0.797, 0.131, 0.046, 0.3127, 0.329)}, "Linear Rec.2020"),
        (".exr", {"chromaticities": (0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.329)}, "Linear P3-D65"),
        (".exr", {"acesImageContainerFlag": 1}, "ACES2065-1"),
        (".exr", {"colorInteropID": "lin_ap1_scene"}, "ACEScg"),
        (".exr", {"colorInteropID": "srgb_rec709_scene"}, DISPLAY),
        (".exr", {"oiio__ColorSpace": "Linear ARRI Wide Gamut 4"}, "Linear ARRI Wide Gamut 4"),
        (".exr", {"colorInteropID": "lin_rec709_scene", "chromaticities": AP1}, LINEAR),
        (".png", {"oiio__ColorSpace": "srgb_rec709_scene"}, DISPLAY),
        (".png", {"oiio__Gamma": 2.2, "oiio__ColorSpace": "g22_rec709_scene"}, "Gamma 2.2 Rec.709 - Texture"),
        (".png", {"oiio__Gamma": 1.0}, LINEAR),
        (".tif", {"ICCProfile__profile_description": "sRGB IEC61966-2.1"}, DISPLAY),
        (".tif", {"ICCProfile__profile_description": "sRGB IEC61966-2.1 (Linear RGB Profile)"}, LINEAR),
        (".jpg", {"ICCProfile__profile_description": "Display P3"}, "sRGB Encoded P3-D65 - Texture"),
        (".tif", {"ICCProfile__profile_description": "ARRI LogC4"}, "ARRI LogC4"),
    ],
)
def test_what_a_file_declares_is_taken_where_opencolorio_knows_it(suffix, attributes, space):
    found = declared(suffix, **attributes)
    for is_float in (True, False):
        assert color.resolve("auto", is_float, found) == space
    assert color.doubt("auto", True, found) == ""


@pytest.mark.parametrize(
    ("suffix", "attributes", "said"),
    [
        (".exr", {"chromaticities": P3_DCI}, "primaries at 0.68"),
        (".exr", {"colorInteropID": "g22_adobergb_scene"}, "g22_adobergb_scene"),
        (".png", {"CICP": (9, 16, 0, 1), "oiio__ColorSpace": "pq_rec2020_display"}, "pq_rec2020_display"),
        (".tif", {"ICCProfile__profile_description": "Adobe RGB (1998)"}, "Adobe RGB"),
        (".tif", {"ICCProfile": b"x"}, "ICC profile without a name"),
        (".jpg", {"Exif__ColorSpace": 2}, "Adobe RGB"),
        (".png", {"oiio__Gamma": 1.5}, "gamma 1.5"),
        (".dpx", {"dpx__Transfer": "ITU-R 601-5 system M"}, "601-5"),
    ],
)
def test_what_opencolorio_does_not_know_is_told_with_what_was_taken(suffix, attributes, said):
    found = declared(suffix, **attributes)
    assert color.resolve("auto", False, found) == DISPLAY
    told = color.doubt("auto", False, found)
    assert said in told
    assert DISPLAY in told
    assert "--colorspace" in told
    assert color.doubt("ACEScg", False, found) == ""


@pytest.mark.parametrize(
    ("suffix", "attributes"),
    [
        (".exr", {}),
        (".exr", {"chromaticities": REC709}),
        (".exr", {"chromaticities": (0.0,) * 8}),
        (".exr", {"chromaticities": ("x",) * 8, "colorInteropID": (1, 2)}),
        (".exr", {"chromaticities": 3, "acesImageContainerFlag": "yes"}),
        (".exr", {"colorInteropID": "unknown"}),
        (".dpx", {"dpx__Transfer": "Undefined"}),
        (".dpx", {"dpx__Transfer": 7, "oiio__Gamma": "dark"}),
        (".tif", {"oiio__Gamma": float("nan")}),
    ],
)
def test_files_that_say_nothing_or_nonsense_are_taken_as_ever(suffix, attributes):
    found = declared(suffix, **attributes)
    assert found == UNDECLARED
    assert (color.resolve("auto", True, found), color.resolve("auto", False, found)) == (LINEAR, DISPLAY)


def test_a_named_colour_space_wins_over_what_is_declared():
    assert color.resolve("ACEScct", True, declared(".exr", chromaticities=AP1)) == "ACEScct"


def test_weights_of_luminance_are_those_of_the_primaries():
    assert luminance_weights({}.get) == pytest.approx((0.2126, 0.7152, 0.0722))
    assert luminance_weights({"chromaticities": REC709}.get) == pytest.approx((0.2126, 0.7152, 0.0722), abs=2e-4)
    assert luminance_weights({"chromaticities": AP1}.get) == pytest.approx((0.2722, 0.6741, 0.0537), abs=2e-4)


@pytest.mark.parametrize("values", [(0.3, 0.3) * 4, (0.64, 0.0) * 4, ("a",) * 8])
def test_primaries_that_are_none_give_the_weights_of_rec709(values):
    assert luminance_weights({"chromaticities": values}.get) == pytest.approx((0.2126, 0.7152, 0.0722))


@pytest.mark.parametrize(
    ("primaries", "space"),
    [
        ((0.684, 0.313, 0.221, 0.848, 0.0861, -0.102), "Linear ARRI Wide Gamut 3"),
        ((0.7347, 0.2653, 0.1424, 0.8576, 0.0991, -0.0308), "Linear ARRI Wide Gamut 4"),
        ((0.780308, 0.304253, 0.121595, 1.493994, 0.095612, -0.084589), "Linear REDWideGamutRGB"),
        ((0.73, 0.28, 0.14, 0.855, 0.1, -0.05), "Linear S-Gamut3"),
        ((0.766, 0.275, 0.225, 0.8, 0.089, -0.087), "Linear S-Gamut3.Cine"),
        ((0.73, 0.28, 0.165, 0.84, 0.1, -0.03), "Linear V-Gamut"),
        ((0.74, 0.27, 0.17, 1.14, 0.08, -0.1), "Linear CinemaGamut D55"),
        ((0.7177215, 0.3171181, 0.228041, 0.861569, 0.1005841, -0.0820452), "Linear BMD WideGamut Gen5"),
        ((0.8, 0.313, 0.1682, 0.9877, 0.079, -0.1155), "Linear DaVinci WideGamut"),
    ],
)
def test_a_cameras_published_primaries_name_its_colour_space(primaries, space):
    found = declared(".exr", chromaticities=(*primaries, 0.3127, 0.329))
    assert color.resolve("auto", True, found) == space


def moved_by(values, index, amount):
    return (*values[:index], values[index] + amount, *values[index + 1 :])


@pytest.mark.parametrize("index", range(8))
def test_primaries_may_be_rounded_to_three_digits_and_no_further(index):
    assert declared(".exr", chromaticities=moved_by(AP1, index, 0.0019)).names == ("ACEScg",)
    assert declared(".exr", chromaticities=moved_by(AP1, index, 0.0021)).names == ()


@pytest.mark.parametrize("index", range(6))
def test_of_rec709_every_primary_counts_and_its_white_does_not(index):
    assert declared(".exr", chromaticities=moved_by(REC709, index, 0.01)).words.startswith("primaries at ")
    assert declared(".exr", chromaticities=moved_by(REC709, 6 + index % 2, 0.3)) == UNDECLARED


def test_unknown_primaries_are_listed_with_four_digits_and_without_the_white():
    values = (0.12345, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
    assert declared(".exr", chromaticities=values).words == "primaries at 0.1235, 0.2, 0.3, 0.4, 0.5, 0.6"


@pytest.mark.parametrize("values", [(*REC709, 0.3), REC709[:7], (10.0, *AP1[1:]), (*AP1[:7], -10.0), list(AP1)])
def test_chromaticities_that_cannot_be_are_none(values):
    assert declared(".exr", chromaticities=values) == UNDECLARED


@pytest.mark.parametrize(
    ("gamma", "name"), [(1.0, LINEAR), (1.8, "g18_rec709"), (2.2, "g22_rec709"), (2.4, "g24_rec709")]
)
def test_a_gamma_counts_within_two_hundredths(gamma, name):
    for near in (gamma - 0.019, gamma + 0.019):
        assert declared(".png", oiio__Gamma=near).names == (name,)
        assert declared(".png", Exif__Gamma=near).names == (name,)
    assert declared(".png", oiio__Gamma=gamma + 0.021).names == ()
    assert declared(".png", oiio__Gamma=1.2345).words == "gamma 1.23"


@pytest.mark.parametrize(
    ("suffix", "attributes", "words", "names"),
    [
        (".dpx", {"dpx__Transfer": "Logarithmic", "oiio__Gamma": 2.2}, "logarithmic (Cineon)", (CINEON,)),
        (".dpx", {"dpx__Transfer": "Printing density"}, "printing density (Cineon)", (CINEON,)),
        (".dpx", {"dpx__Transfer": "Linear"}, "linear", (LINEAR,)),
        (".dpx", {"dpx__Transfer": "SMPTE 274M"}, "SMPTE 274M video", ("Camera Rec.709",)),
        (".dpx", {"dpx__Transfer": "ITU-R 709-4"}, "Rec.709 video", ("Camera Rec.709",)),
        (".dpx", {"dpx__Transfer": "x" * 90}, repr("x" * 80), ()),
        (".sxr", {"colorInteropID": "x" * 90}, repr("x" * 80), ("x" * 90, "x" * 90)),
        (".exr", {"colorInteropID": "lin_own_scene"}, "'lin_own_scene'", ("lin_own_scene", "lin_own")),
        (".exr", {"colorInteropID": "g_display"}, "'g_display'", ("g_display", "g")),
        (".exr", {"acesImageContainerFlag": 2}, "", ()),
        (".exr", {"oiio__Gamma": 2.2}, "", ()),
        (".png", {"chromaticities": AP1}, "", ()),
        (".png", {"Exif__ColorSpace": 1}, "", ()),
        (".png", {"CICP": (1, 1, 0, 1), "ICCProfile": b"x"}, "", ()),
        (".png", {"Exif__ColorSpace": 2}, "Adobe RGB", ("Adobe RGB", "g22_adobergb")),
        (".png", {"ICCProfile__profile_description": "y" * 90}, f"the ICC profile {'y' * 80!r}", ("y" * 90,)),
    ],
)
def test_what_is_declared_is_said_in_words_and_names(suffix, attributes, words, names):
    found = declared(suffix, **attributes)
    assert (found.words, found.names) == (words, names)


@pytest.mark.parametrize(
    ("name", "space"),
    [("srgb", DISPLAY), ("SRGB_REC709", DISPLAY), ("lin_srgb", LINEAR), ("Linear", LINEAR), ("lin_rec709", LINEAR)],
)
def test_common_names_of_srgb_are_known(name, space):
    assert declared(".tif", oiio__ColorSpace=name).names == (space,)


@pytest.mark.parametrize("name", ["Raw", "data", "Unknown"])
def test_names_that_mean_no_colour_space_declare_none(name):
    assert declared(".tif", oiio__ColorSpace=name) == UNDECLARED


@pytest.mark.parametrize(
    ("profile", "name"),
    [
        ("Rec. 709 Gamma 2.4", "g24_rec709"),
        ("BT709", "g24_rec709"),
        ("ACEScg v1", "ACEScg"),
        ("ACES 2065-1", "ACES2065-1"),
        ("linear Rec709", LINEAR),
    ],
)
def test_a_profile_is_known_by_parts_of_its_description(profile, name):
    assert declared(".tif", ICCProfile__profile_description=profile).names == (name,)


@pytest.mark.parametrize(
    "values",
    [
        (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.15, 0.06),  # white lies on blue: red and green weigh nothing
        (0.64, 0.0, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.329),
    ],
)
def test_weights_without_one_of_the_colours_are_those_of_rec709(values):
    assert luminance_weights({"chromaticities": values}.get) == (0.2126, 0.7152, 0.0722)


def test_weights_of_narrow_primaries_are_their_own():
    narrow = (0.34, 0.33, 0.33, 0.34, 0.33, 0.33, 0.3333, 0.3333)
    assert luminance_weights({"chromaticities": narrow}.get) == pytest.approx((0.33, 0.34, 0.33), abs=0.01)
