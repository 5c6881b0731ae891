"""What of the server needs no client; over its socket it is tested end to end."""

from videomama_server import server


def test_the_memory_of_a_process_that_is_gone_is_not_known():
    assert server._memory(None) is None
    assert server._memory(2**22 + 1) is None
