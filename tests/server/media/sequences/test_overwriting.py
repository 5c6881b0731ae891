from pathlib import Path

import pytest
from videomama_client.errors import BadInput
from videomama_server.media.sequences import parse, refuse_overwriting


@pytest.fixture
def plate(tmp_path):
    files = {frame: tmp_path / f"p.{frame}.exr" for frame in (1001, 1002)}
    for path in files.values():
        path.write_bytes(b"plate")
    return files


def refused(out, **read):
    with pytest.raises(BadInput) as caught:
        refuse_overwriting(parse(str(out)), read)
    return caught.value.message


def test_other_names_are_free(plate, tmp_path):
    for out in ("a.####.exr", "p.####.tif", "p.#####.exr", "new/p.####.exr"):
        refuse_overwriting(parse(str(tmp_path / out)), {"plate": plate})


@pytest.mark.parametrize("name", ["p.####.exr", "p.%d.exr", "x/../p.#.exr", "link/p.####.exr"])
def test_the_files_own_name_is_refused_however_it_is_written(plate, tmp_path, name):
    (tmp_path / "link").symlink_to(tmp_path)
    assert refused(tmp_path / name, mask={}, plate=plate).endswith("would overwrite the plate")


def test_what_a_link_leads_to_is_refused(plate, tmp_path):
    link = tmp_path / "shot.1001.exr"
    link.symlink_to(plate[1001])
    assert refused(tmp_path / "p.####.exr", mask={1001: link}).endswith("would overwrite the mask")


def test_a_file_with_two_names_loses_neither_by_what_is_written(plate, tmp_path):
    """Another hard link is another entry of the folder: writing replaces that one alone."""
    (tmp_path / "P.1001.exr").hardlink_to(plate[1001])
    refuse_overwriting(parse(str(tmp_path / "P.####.exr")), {"plate": {1001: plate[1001]}})


def test_one_entry_of_a_folder_that_goes_by_two_names_is_refused(plate, tmp_path, monkeypatch):
    """What a disk does that takes P for p, or a folder that is mounted twice."""
    real = Path.lstat
    monkeypatch.setattr(Path, "lstat", lambda path: real(path.with_name(path.name.casefold())))
    assert refused(tmp_path / "P.####.exr", plate=plate).endswith("would overwrite the plate")


def test_the_name_of_another_frame_is_refused(tmp_path):
    files = {1: tmp_path / "a.1.1.exr", 2: tmp_path / "a.2.1.exr"}
    assert "overwrite" in refused(tmp_path / "a.2.%d.exr", plate=files)


def test_links_in_a_circle_are_left_for_the_reader_to_name(tmp_path):
    loop = tmp_path / "p.1001.exr"
    loop.symlink_to(loop)
    refuse_overwriting(parse(str(tmp_path / "a.####.exr")), {"plate": {1001: loop}})
