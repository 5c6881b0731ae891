"""Foreground colour of files: geometry, colour, formats, and what is refused before or while it is written."""

from dataclasses import replace

import numpy as np
import OpenImageIO as oiio
import pytest
from videomama_client.errors import BadInput, NotPermitted, VideoMaMaError
from videomama_server.foreground import Recolour, estimate
from videomama_server.media import frames

HEIGHT, WIDTH = 48, 64
NUMBERS = range(1001, 1004)


@pytest.fixture(autouse=True)
def no_config_of_the_machine(monkeypatch):
    monkeypatch.delenv("OCIO", raising=False)


@pytest.fixture
def soft():
    """An alpha with a wide edge."""
    x = np.arange(WIDTH, dtype=np.float32)
    return np.tile(np.clip((x - 20) / 16, 0, 1), (HEIGHT, 1))


@pytest.fixture
def job(tmp_path, pictures, soft):
    """Three frames on disk, and the job that makes their foreground."""
    for number in NUMBERS:
        pictures.write(tmp_path / f"plate.{number}.exr", pictures.scene(number), "RGB")
        pictures.write(tmp_path / f"alpha.{number}.exr", soft, "A", "float")
    names = (str(tmp_path / f"{name}.####.exr") for name in ("plate", "alpha", "out/foreground"))
    return Recolour(*names)


def write(job, wanted=None):
    """Do the whole job as the command does, and return the numbers in the order in which they were done."""
    job.check()
    done = []
    job.write(job.find(wanted), done.append)
    return done


def result(job, number=1001):
    return frames.read_plate(job._target.path(number))


def spec_of(job, number=1001):
    source = oiio.ImageInput.open(str(job._target.path(number)))
    spec = source.spec()
    source.close()
    return spec


def test_every_frame_that_has_an_alpha_is_written(job, tmp_path, pictures, soft):
    assert sorted(write(job)) == list(NUMBERS)
    for number in NUMBERS:
        expected = estimate(pictures.scene(number), soft)
        np.testing.assert_allclose(result(job, number).pixels, expected, rtol=1e-3, atol=1e-4)
    assert spec_of(job).channelnames == ("R", "G", "B")
    assert str(spec_of(job).format) == "half"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [f"foreground.{n}.exr" for n in NUMBERS]


def test_only_the_wanted_frames_are_written(job, tmp_path):
    assert write(job, [1002]) == [1002]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["foreground.1002.exr"]


def test_an_older_result_is_replaced(job, pictures, tmp_path):
    write(job)
    before = result(job).pixels
    pictures.write(tmp_path / "plate.1001.exr", pictures.scene(7), "RGB")
    write(job)
    assert np.abs(result(job).pixels - before).max() > 0.1


@pytest.mark.parametrize(
    ("ending", "dtype", "written"), [("exr", "float", "float"), ("tif", "", "float"), ("tiff", "float", "float")]
)
def test_formats(job, ending, dtype, written):
    job = replace(job, out=job.out.replace("exr", ending), dtype=dtype)
    write(job)
    assert str(spec_of(job).format) == written
    assert result(job).pixels.max() > 1  # scene values


def test_premultiplied(job, soft):
    write(job)
    straight = result(job).pixels
    write(replace(job, premultiplied=True))
    np.testing.assert_allclose(result(job).pixels, straight * soft[..., None], atol=2e-3)


def test_geometry_is_the_plate_s(job, tmp_path, pictures, soft):
    wide = pictures.scene(1, HEIGHT + 8, WIDTH + 12)
    display = (100, 50, WIDTH, HEIGHT)
    pictures.write(tmp_path / "plate.1001.exr", wide, "RGB", display=display, origin=(94, 46), aspect=2.0)
    grown = np.pad(soft, ((4, 4), (6, 6)), mode="edge")
    pictures.write(tmp_path / "alpha.1001.exr", grown, "A", "float", display=display, origin=(94, 46), aspect=2.0)
    write(job, [1001])
    spec = spec_of(job)
    assert (spec.x, spec.y, spec.width, spec.height) == (94, 46, WIDTH + 12, HEIGHT + 8)
    assert (spec.full_x, spec.full_y, spec.full_width, spec.full_height) == display
    assert spec.get_float_attribute("PixelAspectRatio") == 2.0
    np.testing.assert_allclose(result(job).pixels, estimate(wide, grown), rtol=1e-3, atol=1e-3)


def test_a_small_data_window_becomes_the_full_frame(job, tmp_path, pictures, soft):
    part = pictures.scene(1, 20, 30)
    pictures.write(tmp_path / "plate.1001.exr", part, "RGB", display=(0, 0, WIDTH, HEIGHT), origin=(25, 10))
    write(job, [1001])
    whole = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    whole[10:30, 25:55] = part
    np.testing.assert_allclose(result(job).pixels, estimate(whole, soft), rtol=1e-3, atol=1e-3)


def test_a_layer_of_the_plate_and_a_channel_of_the_alpha(job, tmp_path, pictures, soft):
    layered = np.concatenate([pictures.scene(1), pictures.scene(2)], axis=2)
    pictures.write(tmp_path / "plate.1001.exr", layered, [f"{p}{c}" for p in ("", "fg.") for c in "RGB"])
    both = np.stack([np.zeros_like(soft), soft], axis=2)
    pictures.write(tmp_path / "alpha.1001.exr", both, ["A", "matte.A"], "float")
    write(replace(job, plate_layer="fg", alpha_channel="matte.A"), [1001])
    np.testing.assert_allclose(result(job).pixels, estimate(pictures.scene(2), soft), rtol=1e-3, atol=1e-3)


def test_an_integer_plate_is_solved_and_written_in_linear_light(job, tmp_path, soft):
    colour = np.float32([0.5, 0.25, 0.75])
    encoded = np.broadcast_to(colour, (HEIGHT, WIDTH, 3))
    frames.write_picture(tmp_path / "plate.1001.png", encoded, dtype="uint16")
    job = replace(job, plate=job.plate.replace("exr", "png"))
    write(job, [1001])
    linear = ((colour + 0.055) / 1.055) ** 2.4
    np.testing.assert_allclose(result(job).pixels[:, 30:], np.broadcast_to(linear, (HEIGHT, 34, 3)), atol=2e-3)


def test_a_linear_colour_space_keeps_its_primaries(job):
    write(job)
    plain = result(job).pixels
    write(replace(job, colorspace="ACEScg"))
    np.testing.assert_array_equal(result(job).pixels, plain)


def test_frames_that_one_side_lacks_are_named(job, tmp_path):
    (tmp_path / "plate.1002.exr").unlink()
    with pytest.raises(BadInput, match=r"missing: plate frames 1002\n"):
        write(job)
    (tmp_path / "alpha.1001.exr").unlink()
    with pytest.raises(BadInput, match=r"missing: alpha frames 1001\n"):
        write(job, [1001, 1003])
    assert not any((tmp_path / "out").iterdir())


@pytest.mark.parametrize("role", ["plate", "alpha"])
def test_no_files_at_all(job, role):
    with pytest.raises(BadInput, match=f"{role}: no frames match"):
        write(replace(job, **{role: getattr(job, role).replace(role, "nothing")}))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"out": "f.####.png"}, "cannot write foreground colour"),
        ({"out": "f.####.dpx"}, "cannot write foreground colour"),
        ({"out": "f.####"}, "cannot write foreground colour"),
        ({"out": ""}, "not a file name"),
        ({"dtype": "uint16"}, "cannot be uint16"),
        ({"colorspace": "nonsense"}, "unknown colour space"),
    ],
)
def test_what_cannot_work_is_said_before_any_work(job, tmp_path, monkeypatch, changes, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match=said):
        replace(job, **changes).check()


def test_many_frames_do_not_go_to_one_file(job):
    with pytest.raises(BadInput, match="is a single file, and 3 frames"):
        write(replace(job, out=job.out.replace(".####", "")))


@pytest.mark.parametrize("role", ["plate", "alpha"])
def test_what_it_is_made_from_is_never_replaced(job, role):
    before = sorted((path.name, path.read_bytes()) for path in job._target.folder.parent.glob("*.exr"))
    pattern = getattr(job, role)
    with pytest.raises(BadInput, match="is what the foreground is made from"):
        write(replace(job, out=pattern))
    with pytest.raises(BadInput, match="is what the foreground is made from"):
        write(replace(job, out=pattern.replace("####", "%d")))
    assert before == sorted((path.name, path.read_bytes()) for path in job._target.folder.parent.glob("*.exr"))


def test_an_alpha_of_another_size(job, tmp_path, pictures):
    pictures.write(tmp_path / "alpha.1002.exr", np.ones((24, 32), np.float32), "A", "float")
    with pytest.raises(BadInput, match="alpha frame 1002: it is 32x24, the plate is 64x48"):
        write(job)


def test_a_damaged_frame_is_named_and_nothing_stands_in_for_it(job, tmp_path):
    damaged = tmp_path / "plate.1002.exr"
    damaged.write_bytes(damaged.read_bytes()[:400])
    with pytest.raises(VideoMaMaError, match="frame 1002: cannot read"):
        write(job)
    assert not (tmp_path / "out" / "foreground.1002.exr").exists()


def test_a_file_where_the_folder_should_be(job, tmp_path):
    (tmp_path / "out").write_bytes(b"")
    with pytest.raises(NotPermitted, match="cannot write in"):
        job.check()


def test_a_folder_where_the_result_should_be(job, tmp_path):
    (tmp_path / "out" / "foreground.1001.exr").mkdir(parents=True)
    with pytest.raises(NotPermitted, match="frame 1001: "):
        write(job, [1001])
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["foreground.1001.exr"]


def test_when_it_is_stopped_the_rest_is_not_begun(job, tmp_path, pictures, soft):
    for number in range(1004, 1061):
        pictures.write(tmp_path / f"plate.{number}.exr", pictures.scene(number), "RGB")
        pictures.write(tmp_path / f"alpha.{number}.exr", soft, "A", "float")

    def stop(_):
        raise KeyboardInterrupt

    job.check()
    with pytest.raises(KeyboardInterrupt):
        job.write(job.find(), stop)
    names = [path.name for path in (tmp_path / "out").iterdir()]
    assert 1 <= len(names) < 60
    assert all(name.startswith("foreground.") for name in names)  # whole or not at all


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Recolour) == {"premultiplied": False}


@pytest.mark.parametrize(("asked", "taken", "doubted"), [("auto", "lin_rec709", True), ("ACEScg", "ACEScg", False)])
def test_the_colour_space_is_settled_by_the_first_plate_and_what_it_declares_is_doubted(
    job, tmp_path, pictures, asked, taken, doubted
):
    output = oiio.ImageOutput.create(str(tmp_path / "plate.1001.exr"))
    spec = oiio.ImageSpec(WIDTH, HEIGHT, 3, "half")
    spec.attribute("chromaticities", "float[8]", (0.5, 0.3, 0.3, 0.5, 0.2, 0.1, 0.3, 0.3))
    assert output.open(str(tmp_path / "plate.1001.exr"), spec)
    assert output.write_image(pictures.scene(1001))
    output.close()
    job = replace(job, colorspace=asked)
    settled, doubt = job.settled(job.find(None))
    assert settled == replace(job, colorspace=taken)
    assert ("primaries at 0.5" in doubt) == doubted
