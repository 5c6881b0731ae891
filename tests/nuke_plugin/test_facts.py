"""What the plug-in takes for granted, in the stand-in; validate_under_nuke.py asks a real Nuke for the same."""

import comps
import facts
import nuke_standin
import pytest


@pytest.fixture
def nuke():
    comps.forget_plugin()
    session = nuke_standin.install(gui=False)
    session.pluginAddPath(str(comps.PLUGIN.parent / "gizmos"))
    yield session
    nuke_standin.uninstall()
    comps.forget_plugin()


@pytest.mark.parametrize(
    ("said", "fact"), list(facts.every()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_in_the_stand_in(nuke, tmp_path, said, fact):
    fact(nuke, tmp_path)
