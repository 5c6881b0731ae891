import numpy as np
import pytest
from videomama_server.cache import seal
from videomama_server.media.frames import write_picture


@pytest.fixture
def sealed(tmp_path):
    path = tmp_path / "key.exr"
    attributes = {seal.NAME: seal.BLANK.decode()}
    write_picture(path, np.ones((16, 16), np.float32), ("A",), "float", attributes=attributes)
    seal.put(path, "key")
    return path


def test_a_file_matches_its_own_seal_and_no_other_name(sealed):
    assert seal.matches(sealed)
    assert not seal.matches(sealed.rename(sealed.with_name("other.exr")))


def test_damage_is_logged_and_nothing_else_is(sealed, caplog):
    assert seal.matches(sealed)
    assert caplog.messages == []
    other = sealed.rename(sealed.with_name("other.exr"))
    assert not seal.matches(other)
    assert caplog.messages == [f"the entry {other} is damaged and counts as missing"]


def test_every_byte_is_under_the_seal(sealed):
    content = sealed.read_bytes()
    for at in range(0, len(content), 37):
        sealed.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        assert not seal.matches(sealed), at


def test_what_cannot_be_read_is_an_error_and_not_damage(tmp_path):
    for look in (seal.matches, seal.unsealed):
        with pytest.raises(FileNotFoundError):
            look(tmp_path / "none")


def test_a_note_is_read_back_unless_it_is_damaged(tmp_path):
    note = tmp_path / "key.json"
    note.write_bytes(seal.sealed("key", "text"))
    assert seal.unsealed(note) == "text"
    note.write_bytes(seal.sealed("other", "text"))
    assert seal.unsealed(note) is None


def test_a_note_that_is_no_text_is_as_good_as_damaged(tmp_path):
    note = tmp_path / "key.json"
    content = b"\xff\xfe"
    note.write_bytes(seal._digest("key", content) + b"\n" + content)
    assert seal.unsealed(note) is None
