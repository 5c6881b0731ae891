from __future__ import annotations

import numpy as np
from videomama_server.engines.classic.sampling import surroundings


def regions():
    """Foreground on the left, background on the right, ten columns between them."""
    columns = np.arange(60)[None].repeat(40, axis=0)
    return columns < 20, (columns >= 20) & (columns < 30), columns >= 30


def sample_pixels(region, band, depths):
    return surroundings(region).samples(*np.nonzero(band), depths)


def test_every_sample_lies_in_the_region():
    front, band, back = regions()
    for region in (front, back):
        samples = sample_pixels(region, band, (4.0, 9.0))
        assert samples.shape == (1 + 4 * 3, band.sum())
        assert region.ravel()[samples].all()


def test_the_first_sample_is_the_nearest():
    _, band, back = regions()
    y, _ = np.nonzero(band)
    nearest = sample_pixels(back, band, ())[0]
    assert (nearest % 60 == 30).all()
    assert (nearest // 60 == y).all()


def test_rays_enter_at_the_border_and_depths_lie_behind_it():
    _, band, back = regions()
    samples = sample_pixels(back, band, (8.0,))
    column = samples[1:].reshape(2, 4, -1) % 60
    assert (column[0] <= 31).all()
    assert column[1].max() > 35


def test_neighbours_look_in_different_directions():
    _, band, back = regions()
    rows = sample_pixels(back, band, ())[1:] // 60
    assert len(np.unique(rows)) > 20


def test_a_region_of_one_pixel_serves_all():
    region = np.zeros((9, 9), bool)
    region[0, 0] = True
    assert (sample_pixels(region, ~region, (3.0,)) == 0).all()


def test_samples_are_those_that_they_always_were(scene, unchanged):
    """The rays look random: another pixel gives another alpha under the same cache key."""
    found = surroundings(scene.mask >= 0.5)
    y, x = np.nonzero((found.distance > 0) & (found.distance < 30))
    samples = found.samples(y, x, (3.0, 12.0, 40.0))
    assert (found.distance.ravel()[samples] == 0).all()
    unchanged(samples.T / scene.mask.size, [89438])
    unchanged(found.distance / 100, [-410551])
    away = surroundings(scene.mask < 0.5)
    y, x = np.nonzero(away.distance > 0)
    unchanged(away.samples(y, x, ()).T / scene.mask.size, [2964086])


def test_a_ray_may_enter_at_the_very_first_pixel():
    region = np.zeros((14, 20), bool)
    region[0, 0] = region[12:] = True
    found = surroundings(region)
    y, x = np.nonzero(~region & (found.nearest > 0))
    assert (found.samples(y, x, ())[1:] == 0).any()
