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


def test_a_name_of_ours_is_a_warning_that_says_who_takes_it(lent, good):
    lent.put("studio-thief", good.replace('"own"', '"classic"'), {"classic": "Own"})
    (line,) = plugins.examine()
    assert (line.name, line.state) == ("engine classic", "warning")
    assert "studio-thief 1.0" in line.what
    assert "videomama-bridge" in line.what
    assert line.fix.startswith("Ask the author of studio-thief to rename the engine")


def test_two_packages_with_one_engine_are_both_a_warning_that_names_the_other(lent, good):
    lent.put("studio-one", good, {"own": "Own"})
    lent.put("studio-other", good, {"own": "Own"})
    lines = plugins.examine()
    assert [line.state for line in lines] == ["warning", "warning"]
    assert all("studio-one 1.0 and studio-other 1.0" in line.what for line in lines)


def test_options_that_no_client_can_be_sent_are_a_warning(lent, good):
    lent.put("studio-odd", good.replace('"How much."', "None"), {"own": "Own"})
    (line,) = plugins.examine()
    assert line.state == "warning"
    assert "the options of the engine own cannot be sent" in line.what
