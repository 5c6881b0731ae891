"""A person is asked, and silence is no yes."""

import io

import pytest
from agreement import agreed
from failure import InstallError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("answer", "yes"), [("y\n", True), (" YES \n", True), ("n\n", False), ("\n", False), ("", False)]
)
def test_only_yes_is_yes(monkeypatch, answer, yes):
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    assert agreed("Do this?", "This plan") is yes


@pytest.mark.parametrize("stdin", [None, io.StringIO("y\n")])
def test_without_a_terminal_it_is_an_error_that_names_the_option(monkeypatch, stdin):
    monkeypatch.setattr("sys.stdin", stdin)
    with pytest.raises(InstallError) as refused:
        agreed("Remove this?", "Uninstalling")
    assert "Uninstalling needs a yes" in str(refused.value)
