from videomama_client.settings import MatteSettings
from videomama_server.engines.base import WindowShape
from videomama_server.engines.videomama import modes

PRODUCTION = MatteSettings()
PUBLISHED = MatteSettings.of(mode="reference")


def test_windows_overlap_but_not_in_the_published_way():
    assert modes.shape(PRODUCTION) == WindowShape(16, 4, 2)
    assert modes.shape(PUBLISHED) == WindowShape(16, 0, 0)


def test_the_published_way_takes_the_whole_plate():
    assert modes.rule(PUBLISHED).minimum_gain == 1
    assert modes.rule(PRODUCTION).minimum_gain < 1
    assert modes.rule(PRODUCTION).multiple == 64
