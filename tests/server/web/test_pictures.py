import cv2
import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.media.frames import write_picture
from videomama_server.web.clip_files import Clip, ClipFiles, Portion
from videomama_server.web.pictures import Pictures, encode
from videomama_server.web.views import Wanted


@pytest.fixture
def clip(tmp_path):
    rng = np.random.default_rng(0)
    write_picture(tmp_path / "plate.0001.exr", rng.random((48, 64, 3), np.float32) * 4, dtype="float")
    write_picture(tmp_path / "alpha.0001.exr", rng.random((48, 64), np.float32), ("A",), "float")
    return Clip(plate=str(tmp_path / "plate.####.exr"), alpha=str(tmp_path / "alpha.####.exr"))


@pytest.fixture
def pictures():
    return Pictures(ClipFiles(lambda path: path))


def decoded(made):
    found = cv2.imdecode(np.frombuffer(made.content, np.uint8), cv2.IMREAD_COLOR)
    return cv2.cvtColor(found, cv2.COLOR_BGR2RGB)


def test_an_alpha_and_full_pixels_are_encoded_without_loss(clip, pictures):
    for wanted in (Wanted("alpha", 1, Portion(longest=32)), Wanted("plate", 1)):
        made = pictures.encoded(clip, wanted)
        assert made.media_type == "image/png"
        assert np.array_equal(decoded(made), pictures.draw(clip, wanted))


def test_a_plate_at_screen_size_is_a_jpeg_near_its_colours(clip, pictures):
    smooth = np.repeat(np.linspace(0, 255, 64 * 48).astype(np.uint8).reshape(48, 64, 1), 3, axis=2)
    smooth[..., 2] //= 2
    made = encode(smooth, exact=False)
    assert made.media_type == "image/jpeg"
    assert np.abs(decoded(made).astype(int) - smooth).mean() < 2
    assert pictures.encoded(clip, Wanted("plate", 1, Portion(longest=32))).media_type == "image/jpeg"


def test_gamma_brightens_what_is_between_black_and_white(clip, pictures):
    plain, bright = (pictures.draw(clip, Wanted("alpha", 1, gamma=gamma)) for gamma in (1.0, 2.0))
    assert (bright >= plain).all()
    assert bright.mean() > plain.mean() + 20


def test_numbers_are_those_of_the_file_and_a_role_without_one_is_left_out(clip, pictures):
    found = pictures.values(clip, 1, (10, 20))
    plate = pictures.files.layer(clip, "plate", 1).pixels[20, 10]
    assert found["plate"] == [float(value) for value in plate]
    assert set(found) == {"plate", "alpha"}
    assert pictures.values(clip, 2, (10, 20)) == {}


def test_a_frame_that_is_missing_is_an_error(clip, pictures):
    with pytest.raises(BadInput, match="plate frame 7"):
        pictures.draw(clip, Wanted("plate", 7))
