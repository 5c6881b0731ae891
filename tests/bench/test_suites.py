from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from videomama_server.media import frames

pytest.importorskip("skimage", reason="the clips have photographs of scikit-image: pip install -e '.[bench]'")
BENCH = Path(__file__).parents[2] / "bench"
SMALL = (160, 90)


@pytest.fixture
def suites(load_bench, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))
    return load_bench("suites")


@pytest.fixture
def clips(suites):
    """Names of the suites and of their clips."""
    return [(suite, clip) for suite in suites.SUITES for clip in suites.module(suite).CLIPS]


def test_every_clip_has_solid_clear_and_soft_pixels_and_moves(suites, clips):
    for suite, clip in clips:
        asked = suites.Asked(suite, SMALL, 3)
        (first, alpha), (later, moved) = (suites.rendered(asked, clip, index) for index in (0, 5))
        assert first.shape == (SMALL[1], SMALL[0], 3), clip
        assert np.isfinite(first).all(), clip
        assert 0.015 < (alpha == 1).mean() < 0.8, clip
        assert (alpha == 0).mean() > 0.15, clip
        assert ((alpha > 0) & (alpha < 1)).mean() > 0.003, clip
        assert np.abs(alpha - moved).max() > 0.5, clip
        assert np.abs(first - later).mean() > 0.005, clip


def test_equal_seeds_give_equal_pixels_and_others_other_plates(suites):
    one, same, other = (suites.rendered(suites.Asked("develop", SMALL, 3, seed), "back_light", 1) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one[0], same[0])
    np.testing.assert_array_equal(one[1], same[1])
    assert np.abs(one[1] - other[1]).max() > 0.5


def test_plates_are_of_both_colours_only_as_the_alpha_says(suites):
    """Where nothing of the subject is, the plate is what is behind; the alpha is exact, or this would not hold."""
    develop = suites.module("develop")
    for clip, draw in develop.CLIPS.items():
        plate, alpha = develop.shot(clip, SMALL, 3, 2.0)
        _, behind = draw(develop.Stage(*SMALL, 3), 2.0)
        np.testing.assert_array_equal(plate[alpha == 0], behind[alpha == 0])


def test_a_written_clip_reads_back_and_a_sheet_shows_all(suites, tmp_path):
    suites.main(["develop", str(tmp_path), "--size", "160x90", "--frames", "2", "--clips", "streaks,racket"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["contact_sheet.png", "racket", "streaks"]
    plate, alpha = suites.rendered(suites.Asked("develop", SMALL, 2), "racket", 1)
    written = frames.read_plate(tmp_path / "racket" / "plate.1002.exr").pixels
    np.testing.assert_allclose(written, plate, atol=2e-3)
    np.testing.assert_array_equal(frames.read_mask(tmp_path / "racket" / "truth.1002.exr").pixels[..., 0], alpha)
    assert frames.read_plate(tmp_path / "contact_sheet.png").pixels.shape[0] == 2 * 270


def test_an_unknown_clip_is_refused_with_those_there_are(suites, tmp_path, capsys):
    with pytest.raises(SystemExit):
        suites.main(["develop", str(tmp_path), "--clips", "nobody"])
    assert "streaks" in capsys.readouterr().err


def test_every_still_has_a_licence_and_lies_in_the_package(suites, load_bench):
    stills, told = load_bench("stills"), (BENCH / "README.md").read_text()
    for name, licence in stills.LICENCES.items():
        assert f"`{name}` ({licence})" in told
    for name in (*stills.LICENCES, *stills.PATCHES):
        assert stills.still(name).shape[2] == 3
    with pytest.raises(ValueError, match="licence"):
        stills.still("moon")


def test_the_suite_that_is_reported_shares_no_painter_and_no_photograph_with_the_other(load_bench, suites):
    stills = load_bench("stills")
    sources = {name: (BENCH / f"{name}.py").read_text() for name in ("suite_develop", "suite_report", "implicit")}
    assert "videomama_server.synthetic" in sources["suite_develop"]
    assert not any("synthetic" in sources[name] for name in ("suite_report", "implicit"))
    used = {
        name: {
            stills.PATCHES.get(still, (still,))[0]
            for still in (*stills.LICENCES, *stills.PATCHES)
            if f'"{still}"' in text
        }
        for name, text in sources.items()
    }
    assert len(used["suite_develop"]) > 4
    assert len(used["suite_report"]) > 4
    assert not used["suite_develop"] & used["suite_report"]
