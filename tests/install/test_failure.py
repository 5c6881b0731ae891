"""How failures are told: in sentences on standard error, with the exit code that shells have."""

from __future__ import annotations

import pytest
from failure import InstallError, told


@pytest.mark.parametrize(("code", "exit_code"), [(0, 0), (7, 7), (-9, 137), (-15, 143)])
def test_a_code_is_passed_on_and_a_signal_is_as_shells_have_it(
    code: int, exit_code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(lambda: code) == exit_code
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (InstallError("It broke.", "Do this."), 1, "error: It broke.\nDo this.\n"),
        (OSError(28, "No space left on device", "/x"), 1, "error: [Errno 28] No space left on device: '/x'\nCheck"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_a_failure_has_a_code_and_words_and_no_traceback(
    error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def work() -> int:
        raise error

    assert told(work) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(said)
    assert "Traceback" not in err


def test_a_fault_of_the_program_itself_is_not_hidden() -> None:
    def work() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        told(work)
