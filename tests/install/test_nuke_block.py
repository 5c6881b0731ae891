from __future__ import annotations

import pytest
from failure import InstallError
from nuke_block import ENDED_LINE, MADE_FILE, has_block, insert, remove

LINES = ["import nuke", "if nuke.NUKE_VERSION_MAJOR >= 14:", "    nuke.pluginAddPath('/some where')"]
OTHER = ["import nuke", "nuke.pluginAddPath('/elsewhere')"]
BOM = b"\xef\xbb\xbf"

CONTENTS = [
    b"",
    b"import os\n",
    b"import os",
    b"import os\r\nx = 1\r\n",
    b"import os\r\nx = 1",
    b"import os\rx = 1\r",
    b"# -*- coding: latin-1 -*-\nname = '\xe9'\n",
    b"\xff not any encoding \xfe\n",
    BOM + b"import os\n",
    BOM,
    b"\n\n\n",
    b"def f():\n\treturn 1  ",
    b"x = '''\n# a text'''\n\x0c\n",
]


@pytest.mark.parametrize("content", CONTENTS)
def test_out_again_leaves_every_byte(content: bytes) -> None:
    with_block = insert(content, LINES)
    assert with_block.startswith(content)
    found = remove(with_block)
    assert found
    assert found[0] == content


@pytest.mark.parametrize("content", CONTENTS)
def test_a_second_time_changes_nothing(content: bytes) -> None:
    once = insert(content, LINES)
    assert insert(once, LINES) == once


@pytest.mark.parametrize("content", CONTENTS)
def test_another_block_takes_its_place_and_comes_out_the_same(content: bytes) -> None:
    changed = insert(insert(content, LINES), OTHER)
    assert changed == insert(content, OTHER)


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
def test_it_ends_its_lines_as_the_file_does(newline: bytes) -> None:
    content = insert(b"import os" + newline, LINES)
    assert content.count(newline) == 1 + 2 + len(LINES)
    assert content.replace(newline, b"").count(b"\n") == content.replace(newline, b"").count(b"\r") == 0


@pytest.mark.parametrize(
    ("before", "edited_before", "after", "expected"),
    [
        (b"a\n", b"a\nnew\n", b"", b"a\nnew\n"),
        (b"a\n", b"", b"b\n", b"b\n"),
        (b"a\n", b"a\n", b"b", b"a\nb"),
        (b"a", b"a2\n", b"", b"a2"),
        # The line's end that was put in now parts the person's own lines.
        (b"a", b"a\n", b"b\n", b"a\nb\n"),
        (b"", b"new\n", b"and more\n", b"new\nand more\n"),
    ],
)
def test_edits_around_it_stay(before: bytes, edited_before: bytes, after: bytes, expected: bytes) -> None:
    block = insert(before, LINES)[len(before) + (not before.endswith(b"\n") and before != b"") :]
    found = remove(edited_before + block + after)
    assert found
    assert found[0] == expected


def test_an_editor_that_changes_the_ends_of_lines_does_no_harm() -> None:
    content = insert(b"a\n", LINES).replace(b"\n", b"\r\n")
    assert insert(content, LINES) == content
    assert remove(content) == (b"a\r\n", ())
    assert remove(content.removesuffix(b"\r\n")) == (b"a\r\n", ())


def test_notes_come_back() -> None:
    assert remove(insert(b"", LINES, [MADE_FILE])) == (b"", (MADE_FILE,))
    assert remove(insert(b"a", LINES)) == (b"a", (ENDED_LINE,))
    assert remove(insert(insert(b"a", LINES), OTHER)) == (b"a", (ENDED_LINE,))


def test_no_block_is_none() -> None:
    assert remove(b"# > VideoMaMa\n") is None
    assert not has_block(b"")


def lines_of(content: bytes) -> list[bytes]:
    return content.splitlines(keepends=True)


WHOLE = lines_of(insert(b"a\n", LINES))


@pytest.mark.parametrize(
    "damaged",
    [
        WHOLE[:-1],  # no end
        [WHOLE[0], *WHOLE[2:]],  # no beginning
        WHOLE + WHOLE[1:],  # twice
        [WHOLE[-1], *WHOLE[1:-1]],  # the wrong way round
        [*WHOLE[:2], b"    " + WHOLE[2], *WHOLE[3:]],  # edited
        [*WHOLE[:3], b"print('mine')\n", *WHOLE[3:]],
        [WHOLE[0], b"    " + WHOLE[1], *WHOLE[2:]],  # indented
        [WHOLE[0], WHOLE[1].replace(b"written", b"put"), *WHOLE[2:]],
    ],
)
def test_a_damaged_block_is_an_error(damaged: list[bytes]) -> None:
    content = b"".join(damaged)
    for action in (lambda: insert(content, LINES), lambda: insert(content, OTHER), lambda: remove(content)):
        with pytest.raises(InstallError, match="block of VideoMaMa is damaged") as caught:
            action()
        assert "delete it from # >>> VideoMaMa" in caught.value.hint
