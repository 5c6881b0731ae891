"""Patterns that a browser names."""

import pytest
from videomama_client.errors import BadInput, NotPermitted
from videomama_server.web import patterns


def test_a_pattern_in_the_home_is_permitted(site, home_clip):
    folder = home_clip(count=2)
    pattern = patterns.permitted(site, f"{folder}/plate.####.exr", "plate")
    assert list(patterns.files(site, pattern)) == [1001, 1002]


@pytest.mark.parametrize("text", ["/etc/passwd", "/etc/x.####.exr", "plate.####.exr", "{home}/../x.####.exr"])
def test_one_outside_is_not(site, home, text):
    with pytest.raises(NotPermitted):
        patterns.permitted(site, text.format(home=home), "plate")


def test_one_that_is_empty_or_endless_is_an_error(site, home):
    for text in ("", f"{home}/{'x' * 5000}.exr"):
        with pytest.raises(BadInput):
            patterns.permitted(site, text, "plate")


def test_a_frame_that_is_a_link_to_outside_is_an_error_that_names_it(site, home_clip, tmp_path):
    folder = home_clip(count=1)
    outside = tmp_path / "outside.exr"
    outside.write_bytes((folder / "plate.1001.exr").read_bytes())
    (folder / "plate.1002.exr").symlink_to(outside)
    pattern = patterns.permitted(site, f"{folder}/plate.####.exr", "plate")
    with pytest.raises(NotPermitted, match="plate frame 1002"):
        patterns.files(site, pattern, "plate")
