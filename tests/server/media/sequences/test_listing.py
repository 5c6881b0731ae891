import pytest
from videomama_client.errors import NotPermitted
from videomama_server.media.sequences.listing import folder_content, listed, taken_apart

EXR = frozenset({".exr"})


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("plate.1001.exr", ("plate.", "1001", ".exr")),
        ("plate.-0002.exr", ("plate.", "-0002", ".exr")),
        ("sh010-0001.exr", ("sh010-", "0001", ".exr")),
        ("sh010_0001_left.exr", ("sh010_", "0001", "_left.exr")),
        ("0007.png", ("", "0007", ".png")),
        ("-0007.png", ("", "-0007", ".png")),
        ("shot_v012.exr", ("shot_v", "012", ".exr")),
        ("still.exr", ("still", "", ".exr")),
    ],
)
def test_a_name_is_taken_apart_at_its_last_number(name, parts):
    assert taken_apart(name) == parts


def test_files_are_grouped_by_all_but_their_number(tmp_path):
    for name in (
        "p.1.exr",
        "p.02.exr",
        "p.EXR",
        "p.1.EXR",
        "q.-001.exr",
        "q.0002.exr",
        ".p.1.exr",
        "p.1.tmp",
        "v_v1.exr",
    ):
        (tmp_path / name).touch()
    found = listed(tmp_path, EXR)
    assert [(one.pattern, one.frames) for one in found] == [
        ("p.#.exr", (1, 2)),
        ("p.#.EXR", (1,)),
        ("p.EXR", ()),
        ("q.####.exr", (-1, 2)),
        ("v_v#.exr", (1,)),
    ]
    assert [str(one) for one in found] == ["p.#.exr (1-2)", "p.1.EXR", "p.EXR", "q.####.exr (-1, 2)", "v_v1.exr"]


def test_versions_are_no_sequence(tmp_path):
    for name in ("comp_v001.exr", "comp_v002.exr", "move001.exr", "move002.exr"):
        (tmp_path / name).touch()
    assert [one.is_sequence for one in listed(tmp_path, EXR)] == [False, True]


def test_a_folder_that_is_not_there_holds_nothing(tmp_path, monkeypatch, raises_with_hint):
    assert folder_content(tmp_path / "none") == []

    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(tmp_path), "iterdir", refuse)
    with raises_with_hint(NotPermitted, tmp_path):
        folder_content(tmp_path)
