"""A job turned back into the form: what comes out makes the same job again."""

import json

import pytest
from starlette.datastructures import ImmutableMultiDict
from videomama_client.messages import SubmitMatte
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage
from videomama_server.web import run_form, run_values
from videomama_server.web.forms import Form

ROLES = {"sam2": "maker", "classic": "matting", "passthrough": "matting", "vitmatte": "refiner", "adjust": "adjustment"}
CLICK = {"kind": "point", "frame": 1001, "place": [10.25, 20.0], "subject": True}


def submitted(order):
    names = ("plate", "mask", "out", "settings", "frame_ranges", "priority", "layer", "dtype", "rehash", "then")
    more = ("side_results", "prompts", "objects", "label")
    return SubmitMatte("r", **{name: getattr(order, name) for name in (*names, *more)})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {
            "engine": "classic",
            "e.mask_slack": "3.14159265",
            "s.exposure": "0.1",
            "s.window": "4",
            "frames": "1001-1002",
        },
        {"refiner": "vitmatte", "r.trimap_preset": "wide", "a.feather": "2", "priority": "batch", "rehash": "yes"},
        {
            "mask_source": "prompts",
            "maker": "sam2",
            "m.reanchor": "yes",
            "prompts": json.dumps([CLICK, {**CLICK, "subject": False}]),
            "s.window": "4",
        },
        {"label": "hero", "dtype": "half", "layer": "hero"},
    ],
)
def test_the_form_of_a_job_makes_the_same_job(served, run_fields, changes):
    with served.client() as client:
        order = run_form.order_of(served, client, Form(ImmutableMultiDict(run_fields(**changes))))
        values = run_values.values_of(submitted(order), ROLES)
        again = run_form.order_of(served, client, Form(ImmutableMultiDict(values.texts)))
    assert again == order
    assert values.left_out == []


def test_what_has_no_field_is_said():
    job = SubmitMatte("r", "/p.####.exr", "/m.####.exr", "/a.####.exr", MatteSettings("classic"),
                      then=(Stage("passthrough"),))  # fmt: skip
    assert run_values.values_of(job, ROLES).left_out == ["the stage passthrough"]
