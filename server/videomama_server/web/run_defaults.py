"""What a person wants the Run page to begin with: engines, settings and output format, kept until they are reverted."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from videomama_client.errors import BadInput

from videomama_server.web.forms import Form, with_form
from videomama_server.web.setting_fields import ADJUST, ENGINE, MAKER, REFINER, SHARED
from videomama_server.web.site import Site
from videomama_server.web.state import State

FIELDS = ("engine", "maker", "refiner", "mask_source", "dtype", "layer", "priority")
_PREFIXES = (SHARED, ENGINE, MAKER, REFINER, ADJUST)
_LONGEST = 500  # characters of a value
_MOST = 300  # values


def routes(site: Site) -> Sequence[Route]:
    """Return the routes that keep defaults and revert them."""

    def keep(request: Request, form: Form) -> Response:
        write(site.state, form)
        return site.render(request, "_defaults.html", {"kept": True})

    def revert(request: Request, _form: Form) -> Response:
        site.state.set_defaults({})
        return site.render(request, "_defaults.html", {"kept": False})

    return [
        Route("/run/defaults/keep", with_form(keep), methods=["POST"]),
        Route("/run/defaults/revert", with_form(revert), methods=["POST"]),
    ]


def write(state: State, form: Form) -> None:
    """Keep what a form says of engines, settings and format; files, prompts and names are of one job alone.

    Raises:
        BadInput: a value is too long, or there are too many.
    """
    kept = {name: form.text(name) for name in FIELDS if form.text(name)}
    for prefix in _PREFIXES:
        kept |= {f"{prefix}{name}": text for name, text in form.below(prefix).items()}
    if len(kept) > _MOST or any(len(text) > _LONGEST for pair in kept.items() for text in pair):
        raise BadInput("the settings are too long to be kept", f"Use {_LONGEST} characters or fewer in each field.")
    state.set_defaults(kept)
