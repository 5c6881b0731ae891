"""Finds the person of a clip by `videomama person` in a process of its own, which brings the detector with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from videomama_client import launch
from videomama_client.errors import InternalError, kind_of
from videomama_client.messages import PLATE

from videomama_server import asking
from videomama_server.media import sequences
from videomama_server.web import patterns, run_form
from videomama_server.web.forms import Form, with_form
from videomama_server.web.site import Site

LIMIT_S = 300.0


@dataclass(frozen=True)
class Person:
    """The person that was found.

    Attributes:
        frame: on which the box stands.
        box: x, y, width, height, in pixels of the plate.
        coverage: the share of the frames looked at that show the person.
        absent: frames of a black opening, such as ``1001-1010``; empty for none.
    """

    frame: int
    box: Sequence[float]
    coverage: float
    absent: str


def routes(site: Site) -> Sequence[Route]:
    """Return the route that finds a person."""

    def find(request: Request, form: Form) -> Response:
        return site.render(request, "_person.html", {"person": found(site, form)})

    return [Route("/run/person", with_form(find), methods=["POST"])]


def found(site: Site, form: Form) -> Person:
    """Return the person of the plate that a form names.

    Raises:
        BadInput: there is nobody, or the plate cannot be read.
        NotPermitted: it lies outside `roots`.
        WeightsError: there is no detector.
    """
    settings = run_form.shared_settings(form)
    pattern = patterns.permitted(site, sequences.with_view(form.text(PLATE), settings.view), PLATE)
    patterns.files(site, pattern, PLATE)
    options = {
        "plate": pattern.text,
        "frames": form.text("frames"),
        "weights": str(site.settled().config.weights),
        "plate-layer": settings.plate_layer,
        "view": settings.view,
        "colorspace": settings.colorspace,
        "exposure": settings.exposure,
    }
    words = [f"--{name}={value}" for name, value in options.items()]  # a value may begin with a dash
    return _read(asking.ask([*launch.server_command(), "person", "--json", *words], LIMIT_S))


def _read(answer: asking.Answer) -> Person:
    """Return what the command found, or raise the error that it told."""
    try:
        said: dict[str, Any] = json.loads(asking.last_line(answer.out))
    except ValueError as error:
        raise InternalError("the search for a person failed", asking.last_line(answer.err)) from error
    if "box" not in said:
        raise kind_of(said.get("code", ""))(said.get("message", ""), said.get("hint") or "")
    begin, end = said["requested_start"], said["effective_start"] - 1
    return Person(said["frame"], said["box"], said["coverage"], f"{begin}-{end}" if begin <= end else "")
