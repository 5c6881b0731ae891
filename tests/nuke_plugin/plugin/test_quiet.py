"""Knobs that are set without a trace."""

import pytest


def traces(nuke) -> tuple[int, bool, bool]:
    """Return the depth of the undo stack, whether it is off, and whether the script is modified."""
    return nuke.Undo.undoSize(), nuke.Undo.disabled(), nuke.root().modified()


@pytest.fixture
def blur(bare_nuke):
    made = bare_nuke.nodes.Blur()
    bare_nuke.root().setModified(False)
    return made


def test_what_is_set_without_undo_may_mark_the_script_as_modified(blur, bare_nuke):
    from videomama_nuke import quiet

    before = traces(bare_nuke)
    with quiet.no_undo():
        assert bare_nuke.Undo.disabled()
        blur["size"].setValue(3)
        bare_nuke.root().setModified(True)
    assert blur["size"].value() == 3
    assert traces(bare_nuke) == (before[0], False, True)


@pytest.mark.parametrize("modified", [False, True])
def test_no_trace_leaves_the_undo_stack_and_the_modified_flag(blur, bare_nuke, modified):
    from videomama_nuke import quiet

    bare_nuke.root().setModified(modified)
    before = traces(bare_nuke)
    with quiet.no_trace():
        blur["size"].setValue(3)
        bare_nuke.root().setModified(not modified)
    assert blur["size"].value() == 3
    assert traces(bare_nuke) == before


def test_after_an_error_all_is_as_it_was(blur, bare_nuke):
    from videomama_nuke import quiet

    before = traces(bare_nuke)

    def fail() -> None:
        with quiet.no_trace():
            bare_nuke.root().setModified(True)
            raise ValueError("a knob refused")

    with pytest.raises(ValueError, match="a knob refused"):
        fail()
    assert traces(bare_nuke) == before
    blur["size"].setValue(4)
    assert traces(bare_nuke)[0] == before[0] + 1
