"""Tcl words: the rules of the file format, one test each."""

import pytest
from nuke_standin.words import TclError, commands, quoted, split


def texts(text):
    return [word.text for word in split(text)]


def command_texts(text):
    return [[word.text for word in words] for words in commands(text)]


def test_newline_and_semicolon_end_a_command():
    assert command_texts("push 0; push 1\npop") == [["push", "0"], ["push", "1"], ["pop"]]


def test_a_semicolon_means_nothing_in_a_list():
    assert texts("a ; b") == ["a", ";", "b"]


def test_comments_are_comments_only_where_a_command_may_begin():
    assert command_texts("# Blur {\nBlur {size 3} \n  # more\nset a 0xff#") == [
        ["Blur", "size 3"],
        ["set", "a", "0xff#"],
    ]


def test_a_backslash_continues_a_line_and_a_comment():
    assert command_texts("# one \\\n still a comment\npush \\\n 0") == [["push", "0"]]


def test_brackets_nest_in_a_bare_word():
    assert command_texts("set N [stack [value 0]]x") == [["set", "N", "[stack [value 0]]x"]]


def test_a_backslash_in_a_bare_word_keeps_what_follows():
    assert texts(r"a\ b \{c") == ["a b", "{c"]


def test_braces_nest_and_keep_everything():
    assert texts("{a {b c}\n $d [e]} f") == ["a {b c}\n $d [e]", "f"]


def test_escaped_braces_do_not_count():
    assert texts(r"{a \{ b} c") == [r"a \{ b", "c"]


def test_quotes_undo_their_escapes_and_hold_raw_newlines():
    assert texts(r'"a\n\t\"\\\[b\]\{\}\$"') == ['a\n\t"\\[b]{}$']
    assert texts('"one\ntwo" x') == ["one\ntwo", "x"]


def test_windows_newlines_tabs_and_a_byte_order_mark_are_taken():
    assert command_texts("\ufeffBlur {\r\n\tsize\t3\r\n}\r\n") == [["Blur", "\n\tsize\t3\n"]]


def test_words_know_how_they_were_written_and_where():
    words = split('a {b}\n"c"')
    assert [(word.kind, word.line) for word in words] == [("bare", 1), ("brace", 1), ("quote", 2)]


@pytest.mark.parametrize(("text", "line"), [("\n{a", 2), ('x\n\n"a', 3), ("push [a\nb", 1), ("{a}b", 1), ('"a"b', 1)])
def test_what_is_no_tcl_is_refused_with_its_line(text, line):
    with pytest.raises(TclError) as caught:
        list(commands(text))
    assert caught.value.line == line
    assert f"line {line}" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["", "a", "two words", 'q"uote', "[value x]", "{", "}", "a\nb", "tab\t", "\\", "$x", "#", "ü ß", "it's", ";"],
)
def test_quoting_is_undone_by_reading(text):
    assert texts(quoted(text)) == [text]
    assert command_texts(f"set a {quoted(text)}") == [["set", "a", text]]
