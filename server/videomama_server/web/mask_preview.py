"""The mask that a maker finds in one frame, shown while a person clicks: a small job of that frame alone."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock

import cv2
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from videomama_client.client import Client
from videomama_client.errors import BadInput
from videomama_client.job_records import WEB, this_submitter
from videomama_client.messages import PLATE, SubmitMatte
from videomama_client.prompts import Prompt

from videomama_server.arrays import FloatArray
from videomama_server.media import frames, sequences
from videomama_server.media.contact_sheet import as_bytes
from videomama_server.media.reduction import averaged, fitted_size
from videomama_server.web import patterns, run_form
from videomama_server.web.forms import Form, with_form
from videomama_server.web.site import Site

LONGEST = 1280  # pixels of a side


def routes(site: Site) -> Sequence[Route]:
    """Return the route of the preview."""
    previews = _Previews(site)
    return [Route("/run/mask-preview", with_form(previews.answer), methods=["POST"])]


class _Previews:
    """The previews that are being made: each browser has one, and a new one ends the one before."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._lock = Lock()
        self._jobs: dict[str, str] = {}

    def answer(self, _request: Request, form: Form) -> Response:
        """Return the mask of a frame as a grey PNG, at most `LONGEST` pixels a side."""
        viewer = form.text("viewer")[:64]
        with self._site.client(start=True) as client:
            request = self._request(client, form)
            job = client.submit(request)
            self._replace(client, viewer, job)
            try:
                mask = _made(client, job, form.whole("frame"))
            finally:
                self._forget(viewer, job)
        worked, png = cv2.imencode(".png", as_bytes(mask))
        assert worked
        return Response(png.tobytes(), media_type="image/png")

    def _request(self, client: Client, form: Form) -> SubmitMatte:
        """Return the job: the clip is the one frame, so that no maker follows the subject through others."""
        frame, name = form.whole("frame"), form.text("of_object")
        maker = run_form.maker_settings(self._site, client, form, run_form.shared_settings(form))
        pattern = patterns.permitted(self._site, sequences.with_view(form.text(PLATE), maker.view), PLATE)
        patterns.files(self._site, pattern, PLATE)
        given = [_alone(one) for one in run_form.given_prompts(self._site, form) if _counts(one, frame, name)]
        if not given:
            raise BadInput("nothing is said of the subject on this frame", "Click in the picture.")
        return SubmitMatte(
            request=uuid.uuid4().hex,
            plate=pattern.text,
            mask="",
            out="",
            settings=maker,
            clip=str(frame),
            label="mask preview",
            submitter=this_submitter(WEB),
            prompts=tuple(given),
        )

    def _replace(self, client: Client, viewer: str, job: str) -> None:
        with self._lock:
            before, self._jobs[viewer] = self._jobs.get(viewer), job
        if before:
            client.cancel(before)

    def _forget(self, viewer: str, job: str) -> None:
        with self._lock:
            if self._jobs.get(viewer) == job:
                del self._jobs[viewer]


def _counts(prompt: Prompt, frame: int, name: str) -> bool:
    """Whether a prompt is of the object that is looked at, and on this frame or on none."""
    return prompt.object == name and prompt.frame in {None, frame}


def _alone(prompt: Prompt) -> Prompt:
    return replace(prompt, object="")


def _made(client: Client, job: str, frame: int) -> FloatArray:
    """Wait for a job of one frame and return its mask, 0..1, (h, w), small enough to be shown.

    Raises:
        VideoMaMaError: the job's, such as missing weights.
    """
    for _ in client.events(job):
        continue
    content = client.fetch_alpha(job, frame)
    with tempfile.TemporaryDirectory(prefix="videomama-web-") as folder:
        path = Path(folder, "mask.exr")
        path.write_bytes(content)
        mask = frames.shown(frames.read_mask(path)).pixels[..., 0]
    return averaged(mask, fitted_size((mask.shape[0], mask.shape[1]), LONGEST))
