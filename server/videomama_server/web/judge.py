"""The Judge page: a job, or any plate, mask and alpha, at their frames, with flags and scores."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from videomama_client.errors import ServerUnreachable
from videomama_client.job_records import JobState
from videomama_client.messages import JobDescribed, QcFlag
from videomama_client.trimap_presets import PRESETS

from videomama_server.qc.flags import as_dict
from videomama_server.web.any_names import Json, query_of
from videomama_server.web.clip_files import ROLES, Clip, ClipFiles
from videomama_server.web.clip_listing import listing
from videomama_server.web.clip_scores import ClipScores
from videomama_server.web.job_clip import JobClip, clip_of_job
from videomama_server.web.picture_query import address_of, clip_of
from videomama_server.web.site import Site
from videomama_server.web.views import VIEWS

_HIDDEN = ("mask_over",)  # views that other pages have
_LABELS = {
    "plate": "Plate",
    "mask": "Mask",
    "alpha": "Alpha",
    "foreground": "Foreground (optional)",
    "other": "Alpha of another job (optional)",
    "ground": "Own picture under comps (optional)",
}


def routes(site: Site) -> Sequence[Route]:
    """Return the routes of the page."""
    files = ClipFiles(site.permit)
    scores = ClipScores(files)
    site.at_end.append(scores.end)
    return [
        Route("/judge", lambda request: _show(site, request)),
        Route("/judge/frames", lambda request: _frames(files, request)),
        Route("/judge/scores", lambda request: Json(scores.report(clip_of(request.query_params)))),
    ]


@dataclass(frozen=True)
class _Shown:
    """What a page shows, what it is called, and what the job itself flagged of it."""

    judged: JobClip
    title: str = ""
    job: str = ""
    flags: Sequence[QcFlag] = ()


def _show(site: Site, request: Request) -> Response:
    shown = _shown(site, request.query_params)
    clip = shown.judged.clip
    context: dict[str, Any] = {
        "shown": shown,
        "has_clip": any(getattr(clip, role) for role in ROLES),
        "query": address_of(clip, shown.judged.trimap),
        "flags": json.dumps([as_dict(flag) for flag in shown.flags]),
        "files": [(role, label, getattr(clip, role)) for role, label in _LABELS.items()],
        "views": [view for view in VIEWS.values() if view.name not in _HIDDEN],
        "presets": PRESETS,
        "jobs": _jobs(site),
        "job_query": _job_query(shown, clip),
    }
    return site.render(request, "judge.html", context)


def _shown(site: Site, query: QueryParams) -> _Shown:
    """Return what an address names: a job (``job``, ``object``), or files; and what it is compared with (``with``)."""
    shown = _named(site, query)
    if not query.get("with"):
        return shown
    other = clip_of_job(_described(site, query["with"]).submitted).clip
    clip = replace(shown.judged.clip, other=other.alpha, other_channel=other.how.alpha_channel)
    return replace(shown, judged=replace(shown.judged, clip=clip))


def _named(site: Site, query: QueryParams) -> _Shown:
    named, job = clip_of(query), query.get("job", "")
    if not job:
        return _Shown(JobClip(named, query.get("frames", "")))
    known = _described(site, job)
    found = clip_of_job(known.submitted, query.get("object", ""))
    clip = replace(found.clip, other=named.other, other_channel=named.other_channel, ground=named.ground)
    flags = known.result.flags if known.result else []
    own = [flag for flag in flags if flag.object in {"", found.object}]
    return _Shown(replace(found, clip=clip), known.state.title, known.state.job, own)


def _described(site: Site, job: str) -> JobDescribed:
    with site.client() as client:
        return client.describe_job(job)


def _job_query(shown: _Shown, clip: Clip) -> str:
    """Return the query that shows the same once more, to which another job to compare with is added."""
    if not shown.job:
        alone = replace(clip, other="", other_channel="")
        return f"{address_of(alone)}&{query_of({'frames': shown.judged.frame_ranges})}"
    return query_of({"job": shown.job, "object": shown.judged.object})


def _jobs(site: Site) -> list[JobState]:
    """Return the last jobs; none where no server runs."""
    try:
        with site.client() as client:
            return list(client.jobs())
    except ServerUnreachable:
        return []


def _frames(files: ClipFiles, request: Request) -> Response:
    return Json(listing(files, clip_of(request.query_params), request.query_params.get("frames", "")))
