import pytest
from videomama_client.errors import WeightsError
from videomama_server.engines.runtime.file_digests import digest


@pytest.fixture
def files(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"ab")
    two.write_bytes(b"c")
    return one, two


def test_a_digest_is_that_of_the_bytes_of_all_files_in_order(files):
    one, two = files
    assert digest(files) == digest(files)
    assert digest(files) != digest([two, one])
    before = digest(files)
    two.write_bytes(b"d")
    assert digest(files) != before


def test_names_count_where_that_is_asked_for(files, tmp_path):
    before = digest(files), digest(files, with_names=True)
    files[1].rename(tmp_path / "other")
    files = files[0], tmp_path / "other"
    assert digest(files) == before[0]
    assert digest(files, with_names=True) != before[1]


def test_digests_stand_in_keys_and_stay_what_they_were(files):
    """Who changes one makes every alpha of these engines anew."""
    assert digest(files) == "6437b3ac38465133ffb63b75273a8db5"
    assert digest(files, with_names=True) == "2fa031f42c84ef4bea5b3afb6e9cf7bb"


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"cannot read .*gone"):
        digest([tmp_path / "gone"])


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(digest) == {"with_names": False}
