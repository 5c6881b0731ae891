from videomama_server import engines
from videomama_server.engines.sequential import is_sequential, prompts_of


def test_what_it_takes_is_known_without_weights_or_torch():
    kind = engines._kind("sam3")
    assert is_sequential(kind)
    assert prompts_of(kind) == ("point", "box", "text", "mask")
    assert engines.role("sam3") == "maker"
    assert engines.remembers("sam3")
