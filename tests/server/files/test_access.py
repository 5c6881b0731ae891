import os
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from videomama_client.errors import BadInput, NotPermitted
from videomama_server.files.access import name_for_libraries, open_plain, permit, refuse_inside


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


@pytest.mark.parametrize("name", ["a\0b", "\ud800.exr"])
def test_what_no_file_can_be_called_is_an_error(tmp_path, name):
    with pytest.raises(BadInput, match="is not a valid path"):
        permit(tmp_path / name, ())


def test_links_in_a_circle_lead_nowhere(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with suppress(BadInput):  # what Python 3.13 does not say: it resolves as far as it gets
        assert not permit(tmp_path / "a", ()).is_file()


@pytest.mark.skipif(sys.platform != "linux", reason="the names are Linux's")
@pytest.mark.parametrize("roots", [(), (Path("/"),)])
@pytest.mark.parametrize("name", ["/proc/self/environ", "/sys/kernel/x", "/dev/zero", "/dev/fd/0", "/dev/stdin"])
def test_the_systems_own_files_are_refused_whatever_the_roots(roots, name, raises_with_hint):
    with raises_with_hint(NotPermitted, name):
        permit(Path(name), roots)


@pytest.mark.skipif(sys.platform != "linux", reason="the names are Linux's")
def test_a_link_to_the_systems_own_is_refused_and_a_memory_disk_is_permitted(root, raises_with_hint):
    (root / "plate.0001.exr").symlink_to("/proc/self/environ")
    with raises_with_hint(NotPermitted, root / "plate.0001.exr"):
        permit(root / "plate.0001.exr", ())
    assert permit(Path("/dev/shm/plate.exr"), ()) == Path("/dev/shm/plate.exr")


@pytest.mark.parametrize("name", ["own", "own/deeper", "other/../own", "link"])
def test_what_is_inside_a_kept_folder_is_refused(root, name, raises_with_hint):
    (root / "own").mkdir()
    (root / "link").symlink_to(root / "own")
    with raises_with_hint(NotPermitted, root / name):
        refuse_inside(root / name, [root / "own", root / "not there"], "the cache")


def test_what_is_beside_a_kept_folder_is_not_refused(root):
    (root / "own").mkdir()
    for name in ("", "owner", "not there/deeper"):
        refuse_inside(root / name, [root / "own"], "the cache")
    with pytest.raises(NotPermitted):
        refuse_inside(root / "absent" / "deeper", [root / "absent"], "the cache")


def test_only_a_plain_file_is_opened(root):
    (root / "file").write_bytes(b"content")
    (root / "link").symlink_to(root / "file")
    os.mkfifo(root / "pipe")
    with open_plain(root / "file") as file:
        assert file.read() == b"content"
    for name in ("link", "pipe", "absent", "."):
        with pytest.raises(OSError):  # noqa: PT011  (each its own)
            open_plain(root / name)


def test_a_name_in_any_script_is_for_libraries_what_it_is():
    assert name_for_libraries(Path("/shots/café/映像.exr")) == str(Path("/shots/café/映像.exr"))


@pytest.mark.skipif(sys.platform == "win32", reason="names are Unicode there")
def test_a_name_that_is_not_utf8_is_for_no_library_and_is_shown_with_its_bytes(raises_with_hint):
    with raises_with_hint(BadInput, r"/shots/caf\xe9/plate.1001.exr is not UTF-8"):
        name_for_libraries(Path(os.fsdecode(b"/shots/caf\xe9/plate.1001.exr")))
