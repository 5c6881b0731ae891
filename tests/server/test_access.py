from pathlib import Path

import pytest
from videomama_client.errors import NotPermitted
from videomama_server.access import permit


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "shots"
    folder.mkdir()
    return folder.resolve()


def test_without_roots_every_absolute_path_is_permitted(tmp_path):
    assert permit(tmp_path / "a" / ".." / "b", ()) == tmp_path.resolve() / "b"


@pytest.mark.parametrize("roots", [(), (Path("/"),)])
def test_a_relative_path_is_refused(roots, raises_with_hint):
    with raises_with_hint(NotPermitted, "shots/plate.exr"):
        permit(Path("shots/plate.exr"), roots)


@pytest.mark.parametrize("name", ["", "plate.exr", "a/b/../c"])
def test_what_lies_under_a_root_is_permitted(root, name):
    assert permit(root / name, (Path("/elsewhere"), root)) == (root / name).resolve()


@pytest.mark.parametrize("name", ["../other/plate.exr", "a/../../other", "../shots2/plate.exr", ".."])
def test_what_lies_outside_is_refused(root, name, raises_with_hint):
    with raises_with_hint(NotPermitted, root / name):
        permit(root / name, (root,))


def test_a_link_that_leaves_the_root_is_refused(root, tmp_path, raises_with_hint):
    (tmp_path / "secret").mkdir()
    (root / "link").symlink_to(tmp_path / "secret")
    with raises_with_hint(NotPermitted, root / "link" / "plate.exr"):
        permit(root / "link" / "plate.exr", (root,))


def test_a_link_that_leads_into_the_root_is_permitted(root, tmp_path):
    (tmp_path / "link").symlink_to(root)
    assert permit(tmp_path / "link" / "plate.exr", (root,)) == root / "plate.exr"
