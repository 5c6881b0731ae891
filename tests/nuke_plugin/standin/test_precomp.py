"""Precomps: their script is read, shown, read again, and never saved with the script around it."""

import pytest

INSIDE = """
Input {
 inputs 0
 name in
}
Constant {
 inputs 0
 channels rgba
 color {0.5 0.5 0.5 1}
 name Held1
}
Output {
 name Output1
}
"""


@pytest.fixture
def nuke():
    import nuke_standin

    yield nuke_standin.install(gui=True)
    nuke_standin.uninstall()


@pytest.fixture
def inside(tmp_path):
    path = tmp_path / "inside.nk"
    path.write_text(INSIDE)
    return path


@pytest.fixture
def precomp(nuke, inside):
    return nuke.nodes.Precomp(file=inside.as_posix())


def red(node) -> float:
    return node.sample("rgba.red", 1, 1)


def test_it_shows_its_script_and_has_its_inputs(nuke, precomp):
    assert red(precomp) == 0.5
    assert precomp.maxInputs() == 1
    assert precomp.setInput(0, nuke.nodes.Constant(channels="rgba", color=[1, 1, 1, 1]))


def test_it_is_saved_by_its_path_alone(nuke, precomp, inside, tmp_path):
    precomp.node("Held1")["color"].setValue([0.25, 0.25, 0.25, 1])
    assert red(precomp) == 0.25
    nuke.scriptSaveAs(str(tmp_path / "outside.nk"), 1)
    text = (tmp_path / "outside.nk").read_text()
    assert "Held1" not in text
    assert "end_group" not in text
    nuke.scriptOpen(str(tmp_path / "outside.nk"))
    assert red(nuke.toNode("Precomp1")) == 0.5


def test_a_script_that_changes_shows_after_reload(precomp, inside):
    held = precomp.node("Held1")
    inside.write_text(INSIDE.replace("0.5 0.5 0.5", "0.75 0.75 0.75"))
    assert red(precomp) == 0.5
    precomp.reload()
    assert red(precomp) == 0.75
    with pytest.raises(ValueError, match="not attached"):
        held.name()
    precomp["reload_script"].execute()
    assert red(precomp) == 0.75


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "No such file"),
        ("Blur {\n", "the brace opened here is never closed"),
        ("NoClassAtAll {\n inputs 0\n}\nOutput {\n name End1\n}\n", "NoClassAtAll"),
    ],
)
def test_a_script_that_cannot_be_read_is_an_error_of_its_picture(nuke, tmp_path, text, said):
    path = tmp_path / "broken.nk"
    if text is not None:
        path.write_text(text)
    precomp = nuke.nodes.Precomp(file=path.as_posix())
    with pytest.raises(RuntimeError, match=said):
        red(precomp)


def test_a_script_that_holds_itself_is_an_error(nuke, inside):
    inside.write_text(f"{INSIDE}Precomp {{\n file {inside.as_posix()}\n name Again1\n}}\nOutput {{\n name End1\n}}\n")
    precomp = nuke.nodes.Precomp(file=inside.as_posix())
    with pytest.raises(RuntimeError, match="holds itself"):
        red(precomp.node("Again1"))


def test_a_name_that_nobody_has_is_an_error(precomp):
    precomp["output"].setValue("Gone1")
    assert red(precomp) == 0.5
    precomp["useOutput"].setValue(True)
    with pytest.raises(RuntimeError, match="no Output and no Write"):
        red(precomp)


def test_without_a_write_there_are_no_files_to_read(precomp):
    precomp["reading"].setValue(True)
    with pytest.raises(RuntimeError, match="no Write whose files"):
        red(precomp)
