"""Kinds of files beyond plain ones: pixels come out right, or one sentence says why not."""

import numpy as np
import OpenImageIO as oiio
import pytest
from videomama_client.errors import BadInput
from videomama_server.media.frames import probe_plate, read_mask, read_plate

RAMP = np.linspace(0, 1, 48 * 64).reshape(48, 64).astype(np.float16)
RGB = dict.fromkeys("RGB", RAMP)


@pytest.fixture(scope="module")
def odd(load_bench):
    return load_bench("odd_pictures")


@pytest.fixture
def write(tmp_path):
    def make(content, name="p.exr"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return make


@pytest.mark.parametrize("read", [read_plate, read_mask, probe_plate])
def test_a_deep_picture_is_refused(odd, write, read, raises_with_hint):
    path = write(odd.exr(odd.ExrPart({"A": RAMP, "R": RAMP, "G": RAMP, "B": RAMP}, kind=odd.DEEP)))
    with raises_with_hint(BadInput, path, "deep"):
        read(path)


@pytest.mark.parametrize("deep_first", [True, False])
def test_a_flat_part_beside_a_deep_one_is_read(odd, write, deep_first, raises_with_hint):
    deep = odd.ExrPart({"A": RAMP, "Z": RAMP}, "deep", odd.DEEP)
    flat = odd.ExrPart({**RGB, "A": RAMP}, "rgba")
    path = write(odd.exr(*((deep, flat) if deep_first else (flat, deep))))
    for found in (read_plate(path), read_mask(path)):
        np.testing.assert_array_equal(found.pixels[..., 0], RAMP)
    with raises_with_hint(BadInput, path, "deep"):
        read_mask(path, "deep.A")


def test_the_flat_one_of_two_parts_with_the_same_channels_is_read(odd, write):
    deep, flat = odd.ExrPart(RGB, "rgba.deep", odd.DEEP), odd.ExrPart(RGB, "rgba")
    np.testing.assert_array_equal(read_plate(write(odd.exr(deep, flat))).pixels[..., 0], RAMP)


@pytest.mark.parametrize("levels", ["ONE_LEVEL", "MIPMAP", "RIPMAP"])
def test_of_several_levels_the_largest_is_read(odd, write, levels):
    path = write(odd.exr(odd.ExrPart(RGB, kind=odd.TILES, levels=getattr(odd, levels))))
    np.testing.assert_array_equal(read_plate(path).pixels[..., 1], RAMP)


@pytest.mark.parametrize("read", [read_plate, read_mask, probe_plate])
def test_faces_of_a_cube_and_volumes_are_refused(odd, write, read, raises_with_hint):
    faces = dict.fromkeys("RGB", np.zeros((192, 32), np.float16))
    cube = write(odd.exr(odd.ExrPart(faces, attributes={"envmap": ("envmap", b"\1")})))
    with raises_with_hint(BadInput, cube, "cube"):
        read(cube)
    volume = write(odd.volume(), "v.tif")
    with raises_with_hint(BadInput, volume, "volume"):
        read(volume)


def test_a_panorama_is_a_picture(odd, write):
    path = write(odd.exr(odd.ExrPart(RGB, attributes={"envmap": ("envmap", b"\0")})))
    np.testing.assert_array_equal(read_plate(path).pixels[..., 0], RAMP)


def test_whole_numbers_are_values(odd, write):
    numbers = np.array([0, 1, 2, 255, 2**24], np.uint32)[np.arange(64) % 5][None].repeat(48, axis=0)
    path = write(odd.exr(odd.ExrPart({"matte": numbers, "A": RAMP})))
    np.testing.assert_array_equal(read_mask(path, "matte").pixels[..., 0], numbers)
    np.testing.assert_array_equal(read_mask(path).pixels[..., 0], RAMP)


def test_channels_of_several_kinds_in_one_part_are_each_read_by_their_own(odd, write):
    path = write(odd.exr(odd.ExrPart({"R": RAMP, "G": np.ones((48, 64), np.uint32), "B": RAMP.astype(np.float32)})))
    found = read_plate(path)
    np.testing.assert_array_equal(found.pixels, np.stack([RAMP, np.ones_like(RAMP), RAMP], axis=2))
    assert not found.is_float


@pytest.mark.parametrize(
    ("dtype", "bits", "white"),
    [("uint8", 1, 1), ("uint8", 8, 255), ("uint16", 16, 65535), ("uint32", 32, 2**32 - 1), ("float32", 32, 1)],
)
@pytest.mark.parametrize("photometric", [0, 1])
def test_min_is_white_is_upright_at_every_depth(odd, write, dtype, bits, white, photometric):
    pixels = np.zeros((48, 64), dtype)
    pixels[:, :16] = white
    path = write(odd.tif(pixels, photometric, bits), "m.tif")
    expected = pixels / white
    np.testing.assert_allclose(read_mask(path).pixels[..., 0], expected if photometric else 1 - expected, atol=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("photometric", [0, 1])
def test_alpha_beside_min_is_white_stays_as_it_is(odd, write, dtype, photometric):
    white = np.iinfo(dtype).max
    pixels = np.zeros((48, 64, 2), dtype)
    pixels[:, :16] = white
    path = write(odd.tif(pixels, photometric, tags={338: 2}), "m.tif")
    np.testing.assert_array_equal(read_mask(path).pixels[..., 0], pixels[..., 1] / white)
    grey = read_plate(path).pixels[..., 0]
    np.testing.assert_array_equal(grey, pixels[..., 0] / white if photometric else 1 - pixels[..., 0] / white)


STORED = {
    1: lambda seen: seen,
    2: lambda seen: seen[:, ::-1],
    3: lambda seen: seen[::-1, ::-1],
    4: lambda seen: seen[::-1],
    5: lambda seen: seen.swapaxes(0, 1),
    6: lambda seen: seen.swapaxes(0, 1)[::-1],
    7: lambda seen: seen.swapaxes(0, 1)[::-1, ::-1],
    8: lambda seen: seen.swapaxes(0, 1)[:, ::-1],
}
# OpenImageIO (3.2) writes a tag less one as the code of a DPX, which counts otherwise: by the DPX standard these lie
# as the tags that they are listed with.
DPX_TAGS = {1: 1, 2: 2, 4: 3, 3: 4, 5: 5, 6: 6, 8: 7, 7: 8}


@pytest.mark.parametrize("tag", STORED)
@pytest.mark.parametrize("suffix", [".tif", ".png", ".jpg", ".dpx", "10.dpx"])
def test_pixels_are_turned_upright_in_every_format_that_has_the_tag(tmp_path, tag, suffix):
    seen = np.zeros((48, 64, 3), np.float32)
    seen[:24, :, 0] = seen[:, :16, 1] = 1
    stored = np.ascontiguousarray(STORED[tag](seen))
    path = tmp_path / f"p{suffix}"
    spec = oiio.ImageSpec(stored.shape[1], stored.shape[0], 3, "uint8" if suffix in (".png", ".jpg") else "uint16")
    spec.attribute("Orientation", DPX_TAGS[tag] if suffix.endswith("dpx") else tag)
    if suffix == "10.dpx":
        spec.attribute("oiio:BitsPerSample", 10)
    spec.attribute("jpeg:subsampling", "4:4:4")
    spec.attribute("CompressionQuality", 100)
    output = oiio.ImageOutput.create(str(path))
    assert output.open(str(path), spec), output.geterror()
    assert output.write_image(stored), output.geterror()
    output.close()
    found = read_plate(path)
    np.testing.assert_allclose(found.pixels, seen, atol=0.03)
    assert (found.geometry.display.w, found.geometry.display.h) == (64, 48)
    assert found.geometry.canvas == probe_plate(path).geometry.canvas
    assert found.orientation == tag


def test_the_tag_of_an_exr_turns_nothing(tmp_path, pictures):
    """OpenEXR has no such thing: tools that copy it from elsewhere have turned the pixels, or not."""
    path = tmp_path / "p.exr"
    spec = oiio.ImageSpec(64, 48, 3, "half")
    spec.attribute("Orientation", 3)
    output = oiio.ImageOutput.create(str(path))
    assert output.open(str(path), spec)
    assert output.write_image(pictures.scene())
    output.close()
    np.testing.assert_array_equal(read_plate(path).pixels, pictures.scene())


@pytest.mark.parametrize("primaries", ["", "ap1"])
def test_luminance_and_chroma_become_colours(odd, write, primaries):
    """The other way round as OpenEXR writes it: Y by weights, RY = (R - Y) / Y, BY = (B - Y) / Y."""
    rgb = np.random.default_rng(3).random((48, 64, 3)).astype(np.float32) + np.float32(0.1)
    weights = np.array((0.2722287, 0.6740818, 0.0536895) if primaries else (0.2126390, 0.7151687, 0.0721923))
    ap1 = np.array([0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767], "<f4").tobytes()
    luminance = (rgb * weights).sum(axis=2).astype(np.float32)
    values = {"Y": luminance, "RY": rgb[..., 0] / luminance - 1, "BY": rgb[..., 2] / luminance - 1}
    attributes = {"chromaticities": ("chromaticities", ap1)} if primaries else {}
    path = write(odd.exr(odd.ExrPart({k: v.astype(np.float32) for k, v in values.items()}, attributes=attributes)))
    np.testing.assert_allclose(read_plate(path).pixels, rgb, atol=2e-3)


@pytest.mark.parametrize("read", [read_plate, read_mask, probe_plate])
def test_chroma_of_half_the_size_is_refused_with_a_hint_that_helps(odd, write, read):
    path = write(odd.exr(odd.ExrPart({"Y": RAMP, "RY": RAMP[::2, ::2], "BY": RAMP[::2, ::2]})))
    with pytest.raises(BadInput) as raised:
        read(path)
    assert "luminance-chroma" in raised.value.message
    assert "RGB" in raised.value.hint


def test_a_small_page_after_the_plate_is_no_obstacle(tmp_path, pictures):
    pages = [oiio.ImageSpec(64, 48, 3, "half"), oiio.ImageSpec(8, 6, 3, "half")]
    path = tmp_path / "p.tif"
    output = oiio.ImageOutput.create(str(path))
    for page, mode in zip(pages, ("Create", "AppendSubimage"), strict=True):
        assert output.open(str(path), page, mode), output.geterror()
        assert output.write_image(pictures.scene(0, page.height, page.width))
    output.close()
    np.testing.assert_array_equal(read_plate(path).pixels, pictures.scene())


def test_a_mask_of_colours_is_read_from_a_palette_and_from_rgb(odd, write, tmp_path, pictures):
    indices = (np.arange(64) // 16).astype(np.uint8)[None].repeat(48, axis=0)
    palette = [(0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0)]
    colours = np.array(palette, np.float32)[indices] / 255
    opaque = np.concatenate([colours, np.ones((48, 64, 1), np.float32)], axis=2)
    files = [
        write(odd.palette_png(indices, palette), "palette.png"),
        pictures.write(tmp_path / "rgb.png", colours, "RGB", "uint8"),
        pictures.write(tmp_path / "rgb.tif", colours, "RGB", "uint16"),
        pictures.write(tmp_path / "rgb.exr", colours, "RGB", "half"),
        pictures.write(tmp_path / "rgba.png", opaque, "RGBA", "uint8"),
    ]
    for path in files:
        found = read_mask(path)
        np.testing.assert_array_equal(found.pixels[..., 0], indices > 0)
        assert found.colours == ("#008000", "#800000", "#808000")
        np.testing.assert_array_equal(read_mask(path, colours="#800000").pixels[..., 0], indices == 1)
        assert read_mask(path, "R").pixels.max() == pytest.approx(
            128 / 255, abs=1e-3
        )  # a named channel is that channel


def test_a_grey_mask_in_three_channels_keeps_its_meaning(tmp_path, pictures):
    grey = np.repeat(RAMP[..., None].astype(np.float32), 3, axis=2)
    found = read_mask(pictures.write(tmp_path / "m.exr", grey, "RGB", "half"))
    np.testing.assert_array_equal(found.pixels[..., 0], RAMP)
    assert (found.colours, found.is_picture) == ((), False)


def test_an_alpha_that_is_not_full_is_the_mask_whatever_the_colours_are(tmp_path, pictures):
    pixels = np.zeros((48, 64, 4), np.float32)
    pixels[:, :32, 0] = pixels[:, 16:, 3] = 1
    found = read_mask(pictures.write(tmp_path / "m.png", pixels, "RGBA", "uint8"))
    np.testing.assert_array_equal(found.pixels[..., 0], pixels[..., 3])


def test_a_picture_in_the_place_of_a_mask_is_known_for_one(tmp_path, pictures):
    found = read_mask(pictures.write(tmp_path / "m.exr", pictures.scene(), "RGB"))
    np.testing.assert_array_equal(found.pixels[..., 0], pictures.scene()[..., 0])
    assert found.is_picture


@pytest.mark.parametrize("read", [read_plate, read_mask])
def test_pixels_that_end_early_are_an_error_that_names_the_file(odd, write, read, raises_with_hint, capfd):
    whole = odd.exr(odd.ExrPart({**RGB, "A": RAMP}))
    path = write(whole[: len(whole) * 3 // 4])
    assert probe_plate(path)
    with raises_with_hint(BadInput, path):
        read(path)
