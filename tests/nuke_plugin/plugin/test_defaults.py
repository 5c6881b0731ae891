"""Defaults that changed between versions of the gizmo."""

from dataclasses import replace

import pytest


@pytest.fixture
def comp(offline_comp, monkeypatch):
    """A refined node, and a default of each of three later gizmos."""
    from videomama_nuke import defaults, record

    offline_comp.show_alphas()
    last = record.read(offline_comp.node())
    own = {**last.settings["engine_options"], "mask_slack": 20.0, "trimap_erode": 5.0}
    settings = {**last.settings, "mask_grow": 3.0, "engine_options": own}
    record.write(offline_comp.node(), replace(last, settings=settings))
    changed = {2: {"mask_slack": 20.0}, 3: {"trimap_erode": 5.0}, 4: {"mask_slack": 20.0, "trimap_dilate": 9.0}}
    monkeypatch.setattr(defaults, "CHANGED", changed)
    return offline_comp


def pinned(comp, gizmo: int = 1) -> tuple:
    """Pin what a gizmo of this version was refined with; return slack, erode and dilate."""
    from videomama_nuke import defaults, record

    record.write(comp.node(), replace(record.read(comp.node()), gizmo=gizmo))
    comp.nuke.root().setModified(False)
    defaults.pin(comp.node())
    return tuple(comp.node()[name].value() for name in ("mask_slack", "trimap_erode", "trimap_dilate"))


def test_defaults_of_then_are_kept_as_the_record_has_them(comp):
    assert pinned(comp) == (20, 5, -1)  # the record has another dilate than that default of then
    assert not comp.nuke.root().modified()


@pytest.mark.parametrize(("gizmo", "values"), [(2, (20, 5, -1)), (3, (20, -1, -1)), (4, (-1, -1, -1))])
def test_only_later_gizmos_count(comp, gizmo, values):
    assert pinned(comp, gizmo) == values


def test_a_value_that_was_chosen_stays(comp):
    comp.node()["mask_slack"].setValue(11)
    assert pinned(comp)[0] == 11


def test_a_node_that_was_never_refined_has_the_defaults_of_now(comp):
    from videomama_nuke import defaults, record

    record.write(comp.node(), None)
    defaults.pin(comp.node())
    assert comp.node()["mask_slack"].value() == -1


def test_the_table_ends_with_the_gizmo_of_today_and_leaves_its_nodes_alone(offline_comp):
    from videomama_nuke import defaults, knobs, record

    comp = offline_comp
    comp.show_alphas()
    today = int(comp.node()[knobs.VERSION_KNOB].value())
    assert max(defaults.CHANGED) <= today
    last = record.read(comp.node())
    before = {name: value for changed in defaults.CHANGED.values() for name, value in changed.items()}
    record.write(comp.node(), replace(last, settings={**last.settings, "engine_options": before}, gizmo=today))
    defaults.pin(comp.node())
    assert [comp.node()[name].value() for name in before] == [-1] * len(before)
    record.write(comp.node(), replace(record.read(comp.node()), gizmo=1))
    defaults.pin(comp.node())
    assert {name: comp.node()[name].value() for name in before} == before
