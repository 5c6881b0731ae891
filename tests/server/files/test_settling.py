from videomama_server.files import settling
from videomama_server.files.settling import is_settled


def test_a_file_settles_a_second_after_its_change():
    assert settling.SETTLED_S == 1.0
    assert is_settled(1000.0, 1001.5)
    assert not is_settled(1000.0, 1001.0)
    assert not is_settled(1000.0, 900.0)  # a clock that is ahead
