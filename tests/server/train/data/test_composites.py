from dataclasses import replace

import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.media import frames
from videomama_server.train.data import composites
from videomama_server.train.data.camera import Camera
from videomama_server.train.data.composites import Composites
from videomama_server.train.data.drawn import Request
from videomama_server.train.data.foregrounds import find_backgrounds, find_foregrounds

WANTED = Request(3, 64, 48)


def put(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    frames.write_picture(path, pixels, ("R", "G", "B") if pixels.ndim == 3 else ("Y",), "uint16")


@pytest.fixture
def folders(tmp_path, draw):
    """A red disc with a soft edge as a still, a clip of it, and a blue background."""
    alpha = draw.disc(0, (48, 64), 20.0)
    red, blue = (np.zeros((48, 64, 3), np.float32) for _ in range(2))
    red[..., 0], blue[..., 2] = 1, 1
    put(tmp_path / "stills" / "fg" / "a.png", red)
    put(tmp_path / "stills" / "alpha" / "a.png", alpha)
    for frame in range(2):
        put(tmp_path / "clips" / "fgr" / "0" / f"{frame}.png", red)
        put(tmp_path / "clips" / "pha" / "0" / f"{frame}.png", alpha)
    put(tmp_path / "behind" / "b.png", blue)
    return tmp_path


@pytest.fixture
def plain(monkeypatch):
    """Take all pictures with a camera that has no faults, and never put another foreground behind."""
    camera = Camera(0.0, 0.0, 0.0, 0.0, 0)
    monkeypatch.setattr(Camera, "draw", lambda *_: camera)
    monkeypatch.setattr(composites, "_ANOTHER", 0.0)
    return camera


def source(folders, kind="stills"):
    return Composites(find_foregrounds(folders / kind), find_backgrounds(folders / "behind"))


@pytest.mark.usefixtures("plain")
def test_light_is_mixed_in_linear_light(folders):
    shown = source(folders).draw(0, WANTED, np.random.default_rng(0))
    assert shown.plate.shape == (3, 48, 64, 3)
    soft = (shown.alpha > 0.2) & (shown.alpha < 0.8)
    assert soft.any()
    red, blue = shown.plate[soft][:, 0], shown.plate[soft][:, 2]
    display = 1.055 * shown.alpha[soft] ** (1 / 2.4) - 0.055
    assert np.allclose(red, display, atol=0.01)
    assert np.allclose(blue, 1.055 * (1 - shown.alpha[soft]) ** (1 / 2.4) - 0.055, atol=0.01)


@pytest.mark.usefixtures("plain")
def test_a_still_moves_and_a_clip_does_not_by_our_doing(folders):
    still = source(folders).draw(0, WANTED, np.random.default_rng(1))
    clip = source(folders, "clips").draw(0, WANTED, np.random.default_rng(1))
    assert not np.array_equal(still.alpha[0], still.alpha[2])
    assert np.array_equal(clip.alpha[0], clip.alpha[2])


def test_motion_and_focus_blur_the_alpha_as_they_blur_the_picture(folders, plain, monkeypatch):
    sharp = source(folders).draw(0, WANTED, np.random.default_rng(1)).alpha
    for blur in ({"shutter": 0.8}, {"defocus": 3.0}):
        monkeypatch.setattr(Camera, "draw", lambda *_, blur=blur: replace(plain, **blur))
        blurred = source(folders).draw(0, WANTED, np.random.default_rng(1)).alpha
        assert not np.array_equal(blurred, sharp)
        soft = [((alpha > 0.02) & (alpha < 0.98)).sum() for alpha in (sharp, blurred)]
        assert soft[1] >= soft[0]


def test_equal_draws_are_equal_and_every_draw_is_another(folders):
    one = source(folders)
    assert np.array_equal(*(one.draw(0, WANTED, np.random.default_rng(3)).plate for _ in range(2)))
    assert len({one.draw(0, WANTED, np.random.default_rng(seed)).plate.tobytes() for seed in range(8)}) == 8


def test_another_foreground_behind_is_no_part_of_the_alpha(folders, monkeypatch, plain):
    monkeypatch.setattr(composites, "_ANOTHER", 1.0)
    found = [source(folders).draw(0, WANTED, np.random.default_rng(seed)) for seed in range(6)]
    outside = [shown.plate[shown.alpha == 0] for shown in found]
    assert any((pixels[:, 0] > 0.9).any() for pixels in outside if len(pixels))  # red where the subject is not


def test_a_foreground_without_pixels_is_named(folders):
    put(folders / "stills" / "alpha" / "a.png", np.zeros((48, 64), np.float32))
    with pytest.raises(BadInput, match=r"fg/a\.png cannot be seen"):
        source(folders).draw(0, WANTED, np.random.default_rng(0))


@pytest.mark.usefixtures("plain")
def test_a_large_foreground_is_reduced_without_breaking_up(folders):
    """Thin lines of a picture eight times too large keep their mean."""
    lines = np.zeros((960, 1280), np.float32)
    lines[:, ::8] = 1
    put(folders / "stills" / "fg" / "a.png", np.ones((960, 1280, 3), np.float32))
    put(folders / "stills" / "alpha" / "a.png", lines)
    alpha = source(folders).draw(0, WANTED, np.random.default_rng(4)).alpha[0]
    inside = alpha[alpha > 0.02]
    assert inside.mean() == pytest.approx(1 / 8, abs=0.03)
    assert inside.max() < 0.4


@pytest.mark.parametrize(("empty", "seen"), [(9, True), (10, False)])
@pytest.mark.usefixtures("plain")
def test_a_subject_is_moved_up_to_ten_times_until_something_of_it_is_seen(folders, monkeypatch, empty, seen):
    real, times = composites._moving, []

    def moving(*asked):
        times.append(asked)
        return real(*asked) * np.float32(len(times) > empty)

    monkeypatch.setattr(composites, "_moving", moving)
    if seen:
        assert source(folders).draw(0, WANTED, np.random.default_rng(0)).alpha.max() > 0
    else:
        with pytest.raises(BadInput, match="cannot be seen"):
            source(folders).draw(0, WANTED, np.random.default_rng(0))
    assert len(times) == 10
