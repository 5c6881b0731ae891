"""The form of the Run page turned into a job."""

import json

import pytest
from starlette.datastructures import ImmutableMultiDict
from videomama_client.engine_options import EngineOption
from videomama_client.errors import BadInput, NotPermitted
from videomama_client.objects import MaskObject
from videomama_client.prompts import Prompt
from videomama_client.stages import Stage
from videomama_server.web import run_form
from videomama_server.web.forms import Form

CLICK = {"kind": "point", "frame": 1001, "place": [10.5, 20], "subject": True, "object": ""}


@pytest.fixture
def order_of(served):
    """Return the job of some fields; a list is several values of one name."""

    def make(fields):
        pairs = [
            (name, one) for name, value in fields.items() for one in (value if isinstance(value, list) else [value])
        ]
        with served.client() as client:
            return run_form.order_of(served, client, Form(ImmutableMultiDict(pairs)))

    return make


def test_files_and_settings_become_a_job_by_path(order_of, run_fields):
    order = order_of(run_fields(engine="classic", frames="1001-1002", **{"e.mask_slack": "3", "s.exposure": "1.5"}))
    assert (order.frame_ranges, order.transport, order.program) == ("1001-1002", "path", "web")
    assert order.settings.exposure == 1.5
    assert order.settings.engine_options == (EngineOption("mask_slack", 3.0),)


def test_edges_and_adjustments_become_stages_and_defaults_none(order_of, run_fields):
    order = order_of(run_fields(refiner="vitmatte", **{"r.trimap_preset": "wide", "a.feather": "2", "a.grow": "0"}))
    assert order.then == (
        Stage("vitmatte", (EngineOption("trimap_preset", "wide"),)),
        Stage("adjust", (EngineOption("feather", 2.0),)),
    )
    assert order_of(run_fields(folder=order.plate.rsplit("/", 1)[0], **{"a.grow": "0"})).then == ()


def test_clicks_put_the_maker_before_the_engine(order_of, run_fields):
    prompts = json.dumps([CLICK, {**CLICK, "subject": False}])
    order = order_of(run_fields(mask_source="prompts", maker="sam2", prompts=prompts, **{"m.reanchor": "yes"}))
    assert (order.mask, order.settings.engine, order.then[0].engine) == ("", "sam2", "passthrough")
    assert order.prompts[0] == Prompt("point", 1001, (10.5, 20.0))
    assert order.settings.engine_options == (EngineOption("reanchor", True),)
    assert order.objects == ()


def test_prompts_of_several_names_become_objects(order_of, run_fields):
    prompts = json.dumps([{**CLICK, "object": "hero"}, {**CLICK, "object": "dog"}])
    order = order_of(run_fields(mask_source="prompts", maker="sam2", prompts=prompts))
    assert order.objects == (MaskObject("hero", ""), MaskObject("dog", ""))
    with pytest.raises(BadInput, match="some have none"):
        order_of(run_fields(order.plate.rsplit("/", 1)[0], mask_source="prompts", maker="sam2",
                            prompts=json.dumps([CLICK, {**CLICK, "object": "dog"}])))  # fmt: skip


def test_a_single_name_makes_no_layer(order_of, run_fields):
    prompts = json.dumps([{**CLICK, "object": "hero"}])
    order = order_of(run_fields(mask_source="prompts", maker="sam2", prompts=prompts))
    assert (order.objects, order.prompts[0].object) == ((), "")


def test_objects_have_mask_files_of_their_own(order_of, run_fields):
    fields = run_fields(mask_source="objects", mask="")
    mask = fields["plate"].replace("plate", "mask")
    order = order_of({**fields, "object_name": ["hero", ""], "object_mask": [mask, ""], "object_channel": ["A", ""]})
    assert order.objects == (MaskObject("hero", mask, "A"),)


@pytest.mark.parametrize(
    "changes",
    [
        {"engine": "nothing"},
        {"e.mask_slack": "3"},  # not one of passthrough
        {"s.exposure": "bright"},
        {"s.window": "0"},
        {"mask_source": "nowhere"},
        {"dtype": "double"},
        {"priority": "first"},
        {"plate": ""},
        {"out": ""},
        {"mask_source": "prompts", "maker": "", "prompts": json.dumps([CLICK])},
        {"mask_source": "prompts", "maker": "sam2", "prompts": "[]"},
        {"mask_source": "prompts", "maker": "sam2", "prompts": '[{"kind": "point"}]'},
        {"mask_source": "prompts", "maker": "sam2", "prompts": '[{"frame": 1}]'},
        {"mask_source": "prompts", "maker": "sam2", "prompts": '[{"kind": "point", "frame": 1, "place": ["x", 1]}]'},
        {"mask_source": "prompts", "maker": "sam2", "prompts": '[{"kind": "point", "frame": true, "place": [1, 1]}]'},
        {"mask_source": "prompts", "maker": "sam2", "prompts": '[{"kind": "point", "frame": 1, "digest": "x"}]'},
        {"mask_source": "objects"},
        {"refiner": "vitmatte", "r.tile": "385"},
        {"refiner": "vitmatte", "r.trimap_foreground": "0.5", "r.trimap_background": "0.5"},
        {"a.black": "0.9", "a.white": "0.1"},
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_an_error(order_of, run_fields, changes):
    with pytest.raises(BadInput):
        order_of(run_fields(**changes))


@pytest.mark.parametrize("field", ["plate", "mask", "out", "foreground", "e.weights"])
def test_no_path_leads_outside(order_of, run_fields, field):
    changes = {field: "/etc/x.####.exr"} | ({"engine": "videomama"} if field == "e.weights" else {})
    with pytest.raises(NotPermitted):
        order_of(run_fields(**changes))


def test_a_key_mask_lies_inside_too(order_of, run_fields):
    prompts = json.dumps([{"kind": "mask", "frame": 1001, "file": "/etc/key.png"}])
    with pytest.raises(NotPermitted):
        order_of(run_fields(mask_source="prompts", maker="held", prompts=prompts))
