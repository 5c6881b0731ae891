"""The engines that other packages bring."""

import pytest
from videomama_server.doctor import plugins


@pytest.fixture
def lent(packages, lend, monkeypatch):
    """Write packages that this process and those that it starts find."""
    packages.folder.mkdir()
    monkeypatch.syspath_prepend(packages.folder)
    lend(packages.folder)
    return packages


def test_without_plug_ins_there_is_nothing_to_say():
    assert plugins.examine() == []


def test_each_engine_is_listed_with_its_package_and_what_is_wrong_with_it(lent, good):
    lent.put("studio-good", good, {"own": "Own"}, "1.2")
    lent.put("studio-crash", "import os; os._exit(7)", {"crashes": "Own"})
    lent.put("studio-old", good.replace('"own"', '"old"').replace("protocol = 1", "protocol = 0"), {"old": "Own"})
    crashes, old, own = plugins.examine()
    assert (own.name, own.state, own.fix) == ("engine own", "ok", "")
    assert "studio-good 1.2" in own.what
    assert (crashes.name, crashes.state) == ("engine crashes", "warning")
    assert "studio-crash 1.0" in crashes.what
    assert "code 7" in crashes.what
    assert (old.name, old.state) == ("engine old", "warning")
    assert "studio-old 1.0" in old.what
    assert "Protocol 0" in old.what
    assert old.fix.startswith("Update studio-old")
