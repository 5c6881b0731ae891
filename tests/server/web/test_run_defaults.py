"""What the Run page begins with."""

from starlette.datastructures import ImmutableMultiDict
from videomama_server.web import run_defaults
from videomama_server.web.forms import Form


def test_settings_are_kept_and_files_are_not(site):
    values = {"engine": "classic", "e.mask_slack": "3", "a.grow": "", "plate": "/x", "prompts": "[]", "label": "hero"}
    run_defaults.write(site.state, Form(ImmutableMultiDict(values)))
    assert site.state.defaults() == {"engine": "classic", "e.mask_slack": "3"}


def test_reverting_leaves_nothing(page, site):
    page.post("/run/defaults/keep", data={"engine": "classic"})
    assert site.state.defaults() == {"engine": "classic"}
    assert "usual settings" in page.post("/run/defaults/revert").text
    assert site.state.defaults() == {}


def test_endless_values_are_an_error(page, site):
    assert page.post("/run/defaults/keep", data={"layer": "x" * 501}).status_code == 422
    assert site.state.defaults() == {}
