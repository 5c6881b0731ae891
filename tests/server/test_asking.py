"""Programs that crash, hang or talk nonsense are an error with words, never more."""

import sys

import pytest
from videomama_server.asking import NoAnswer, ask, ask_python, last_line


def test_what_a_program_says():
    answer = ask([sys.executable, "-c", "print('so'); raise SystemExit(3)"], 30)
    assert (answer.code, answer.out.strip()) == (3, "so")
    assert ask_python(["-c", "print('chatter'); print('[1, 2]')"], 30) == [1, 2]


@pytest.mark.parametrize(
    ("code", "seconds", "said"),
    [
        ("raise OSError('it broke')", 30, "OSError: it broke"),
        ("raise SystemExit(4)", 30, "it ended with code 4"),
        ("print('no json')", 30, "it ended with code 0"),
        ("import time; time.sleep(60)", 1, "no answer within 1 s"),
    ],
)
def test_no_answer(code, seconds, said):
    with pytest.raises(NoAnswer) as caught:
        ask_python(["-c", code], seconds)
    assert caught.value.message == said


def test_a_program_that_is_not_there(tmp_path):
    with pytest.raises(NoAnswer, match="does not start"):
        ask([str(tmp_path / "none")], 1)


def test_the_last_line():
    assert last_line("a\n b \n\n") == "b"
    assert last_line("") == ""


def test_a_program_has_no_input_and_its_words_are_cut():
    assert ask_python(["-c", "import sys; print(len(sys.stdin.read()))"], 30) == 0
    with pytest.raises(NoAnswer) as caught:
        ask_python(["-c", "raise SystemExit('x' * 999)"], 30)
    assert caught.value.message == "x" * 300


def test_bytes_that_are_no_text_can_be_read():
    answer = ask([sys.executable, "-c", "import os; os.write(1, b'\\xff!'); os.write(2, b'\\xfe?')"], 30)
    assert (answer.out, answer.err) == ("\ufffd!", "\ufffd?")
