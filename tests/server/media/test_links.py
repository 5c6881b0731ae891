import pytest
from videomama_client.errors import BadInput, NotPermitted
from videomama_server.media import frames
from videomama_server.media.links import dead_link, refuse_dead_link, with_ending


@pytest.fixture
def blob(tmp_path, pictures):
    """A picture in a store without endings."""
    path = tmp_path / "9f86d081"
    pictures.write(tmp_path / "p.exr", pictures.scene(), "RGB").rename(path)
    return path


def test_a_file_that_has_the_ending_is_given_itself(tmp_path):
    for name in ("p.exr", "p.EXR"):
        with with_ending(tmp_path / name, ".exr") as named:
            assert named == tmp_path / name


def test_a_file_without_an_ending_is_read_under_a_private_name(blob, pictures):
    with with_ending(blob, ".exr") as named:
        assert named.suffix == ".exr"
        assert named.parent.stat().st_mode & 0o077 == 0
        assert (frames.read_plate(named).pixels == pictures.scene()).all()
    assert not named.parent.exists()


def test_an_error_names_the_file_itself(tmp_path, raises_with_hint):
    (tmp_path / "blob").write_bytes(b"no picture at all")
    with (
        raises_with_hint(BadInput, f"cannot read {tmp_path / 'blob'}:"),
        with_ending(tmp_path / "blob", ".exr") as named,
    ):
        frames.read_plate(named)


def test_where_no_link_can_be_made_the_error_says_so(blob, monkeypatch, raises_with_hint):
    def refuse(*_):
        raise OSError(1314, "A required privilege is not held by the client")

    monkeypatch.setattr(type(blob), "symlink_to", refuse)
    with raises_with_hint(NotPermitted, blob, "privilege"), with_ending(blob, ".exr"):
        pass


def test_a_dead_link_is_told_from_everything_else(tmp_path, blob, raises_with_hint):
    dead, alive, circle = (tmp_path / name for name in ("dead.exr", "alive.exr", "circle.exr"))
    dead.symlink_to("/nowhere/p.exr")
    alive.symlink_to(blob)
    circle.symlink_to(circle)
    assert dead_link(dead) == "is a link to /nowhere/p.exr, which does not exist"
    assert dead_link(alive) == dead_link(blob) == dead_link(tmp_path / "none.exr") == ""
    refuse_dead_link(alive)
    with raises_with_hint(BadInput, f"{dead} is a link to /nowhere/p.exr, which does not exist"):
        refuse_dead_link(dead)
    with raises_with_hint(BadInput, "it is a link to /nowhere/p.exr, which does not exist"):
        frames.read_plate(dead)
    with raises_with_hint(BadInput, circle):
        frames.read_plate(circle)
