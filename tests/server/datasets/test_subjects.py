"""What clips show is read from groups.csv beside them."""

import pytest
from videomama_client.errors import BadInput
from videomama_server.datasets.layouts import read_data
from videomama_server.datasets.subjects import FILE


def test_a_line_names_a_clip_or_all_below_it(make):
    root = make.vhim(subjects=2)
    (root / FILE).write_text("clip,group\ncomp_hard/00012,people\ncomp_hard/00012/01,animals\n")
    subjects = {clip.name: clip.subject for clip in read_data(root).clips}
    assert subjects == {"comp_hard/00012/00": "people", "comp_hard/00012/01": "animals"}


def test_clips_that_it_does_not_name_have_no_group(make):
    make.plain("hair_wall")
    root = make.plain("fur_wall")
    (root / FILE).write_text("clip,group,note\nfur_wall,animals,a fox\n")
    assert {clip.name: clip.subject for clip in read_data(root).clips} == {"fur_wall": "animals", "hair_wall": ""}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("clip,kind\nhair_wall,people\n", "has no columns clip and group"),
        ("clip,group\nhair_wal,people\n", "line 2: there is no clip hair_wal"),
        ("clip,group\nhair_wall,\n", "line 2, lacks a clip or its group"),
        ("clip,group\nhair_wall,people\nhair_wall,things\n", "line 3, names hair_wall a second time"),
        ("clip,group\nhair_wall\n", "line 2, lacks a clip or its group"),
        ("", "has no columns clip and group"),
    ],
)
def test_a_table_that_cannot_be_meant_says_where(make, content, message):
    root = make.plain("hair_wall")
    (root / FILE).write_text(content)
    with pytest.raises(BadInput) as caught:
        read_data(root)
    assert message in caught.value.message
