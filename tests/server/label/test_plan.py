"""Shards and what decides a label."""

from dataclasses import replace

import pytest
from videomama_client.errors import BadInput
from videomama_client.settings import MatteSettings
from videomama_server.label.plan import Chain, shard_of


def test_shards_have_every_clip_once():
    clips = {f"c{number}": None for number in range(10)}
    parts = [list(shard_of(clips, number, 4)) for number in (1, 2, 3, 4)]
    assert sorted(name for part in parts for name in part) == sorted(clips)
    assert [len(part) for part in parts] == [3, 3, 2, 2]
    assert list(shard_of(clips, 11, 12)) == []


def test_an_engine_that_fades_masks_is_no_maker():
    with pytest.raises(BadInput, match="fades one mask"):
        Chain(MatteSettings(), (), MatteSettings(engine="held"))


def test_settings_tolerance_and_files_decide_a_label(plan_of, data, tmp_path):
    plan = plan_of(data.plain(tmp_path / "set"))
    files = sorted((tmp_path / "set").rglob("*.png"))
    known = plan.fingerprint(files)
    assert plan.fingerprint(files) == known
    others = [
        replace(plan, tolerate=0.5),
        replace(plan, chain=Chain(MatteSettings(engine="classic"))),
        replace(plan, chain=replace(plan.chain, maker=MatteSettings(engine="sam2"))),
    ]
    assert len({known, plan.fingerprint(files[1:]), *(one.fingerprint(files) for one in others)}) == 5
    files[0].write_bytes(files[0].read_bytes() + b"x")
    assert plan.fingerprint(files) != known
