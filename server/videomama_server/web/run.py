"""The Run page: plate, masks, engines and settings, looked at before anything is computed, then submitted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from videomama_client import messages
from videomama_client.client import Client
from videomama_client.engine_settings import AUTO
from videomama_client.errors import BadInput
from videomama_client.messages import EngineState, FramesPlanned
from videomama_client.stage_words import specs_at
from videomama_client.stages import MAKER, MATTING, REFINER
from videomama_client.trimap_presets import PRESETS

from videomama_server.media import sequences
from videomama_server.submission import Submission, submit
from videomama_server.web import found, run_form, run_values, setting_fields
from videomama_server.web.forms import Form, query, with_form
from videomama_server.web.resubmitting import not_kept
from videomama_server.web.run_values import RunValues
from videomama_server.web.site import Site

PREVIEW_FRAMES = 3
_PREFIXES = {"engine": setting_fields.ENGINE, "maker": setting_fields.MAKER, "refiner": setting_fields.REFINER}


def routes(site: Site) -> Sequence[Route]:
    """Return the routes of the page."""
    return [
        Route("/run", lambda request: _page(site, request)),
        Route("/run/found", lambda request: _found(site, request)),
        Route("/run/fields", lambda request: _fields(site, request)),
        Route("/run/object-row", lambda request: site.render(request, "_object_row.html", {"one": None})),
        Route("/run/check", with_form(lambda request, form: _check(site, request, form)), methods=["POST"]),
        Route("/run/preview", _submitting(site, lambda order: order.preview(PREVIEW_FRAMES)), methods=["POST"]),
        Route("/run/start", _submitting(site, lambda order: order), methods=["POST"]),
    ]


@dataclass(frozen=True)
class _Checked:
    """What a dry run found out."""

    order: Submission
    plan: FramesPlanned
    wanted: Sequence[int]
    warnings: Sequence[str]

    @property
    def frames(self) -> str:
        """The frames that would be made."""
        return sequences.format_range(self.wanted)

    @property
    def stages(self) -> str:
        """The engines, in their order."""
        return ", then ".join([self.plan.engine, *(stage.engine for stage in self.order.then)])


def _page(site: Site, request: Request) -> Response:
    job = query(request).text("job")
    with site.client(start=True) as client:
        engines = client.engines().engines
        values = _values(client, job, engines) if job else RunValues(site.state.defaults())
        chosen = {
            "engine": values.texts.get("engine", AUTO),
            "maker": values.texts.get("maker", ""),
            "refiner": values.texts.get("refiner", ""),
        }
        groups = {kind: _own(client, kind, name, values) for kind, name in chosen.items()}
    context = {
        "values": values,
        "job": job,
        "chosen": chosen,
        "makers": [one for one in engines if one.role == MAKER],
        "matting": [one for one in engines if one.role == MATTING],
        "refiners": [one for one in engines if one.role == REFINER],
        "maker_groups": groups["maker"],
        "engine_groups": groups["engine"],
        "refiner_groups": groups["refiner"],
        "shared": setting_fields.shared(values.texts),
        "adjustments": setting_fields.adjustments(values.texts),
        "adjusted": any(name.startswith(setting_fields.ADJUST) for name in values.texts),
        "presets": PRESETS,
    }
    return site.render(request, "run.html", context)


def _values(client: Client, job: str, engines: Sequence[EngineState]) -> RunValues:
    described = client.describe_job(job)
    if described.submitted is None:
        raise not_kept()
    return run_values.values_of(described.submitted, {one.name: one.role for one in engines})


def _own(client: Client, kind: str, name: str, values: RunValues) -> Sequence[setting_fields.Group]:
    specs = specs_at(client, name) if name else ()
    return setting_fields.own(_PREFIXES[kind], specs, values.texts)


def _found(site: Site, request: Request) -> Response:
    asked = query(request)
    role = asked.text("role")
    if role not in {messages.PLATE, messages.MASK}:
        raise BadInput(f"there is no role {role[:80]!r}", "Reload the page.")
    if not asked.text(role):
        return Response("", media_type="text/html")
    return site.render(request, "_found.html", {"clip": found.look(site, asked, role)})


def _fields(site: Site, request: Request) -> Response:
    asked = query(request)
    kind = asked.text("kind")
    if kind not in _PREFIXES:
        raise BadInput(f"there are no fields of {kind[:80]!r}", "Reload the page.")
    if not asked.text(kind):
        return Response("", media_type="text/html")
    entered = RunValues({f"{_PREFIXES[kind]}{name}": text for name, text in asked.below(_PREFIXES[kind]).items()})
    with site.client(start=True) as client:
        groups = _own(client, kind, asked.text(kind), entered)
    return site.render(request, "_setting_groups.html", {"groups": groups, "presets": PRESETS})


def _check(site: Site, request: Request, form: Form) -> Response:
    with site.client(start=True) as client:
        order = run_form.order_of(site, client, form)
        clip = sequences.whole_range(order.clip_frames())
        plan = client.plan_frames(order.settings, clip, order.frame_ranges, order.then, order.prompts, order.objects)
    wanted = order.wanted()
    checked = _Checked(order, plan, wanted, _warnings(site, form, order, wanted))
    return site.render(request, "_checked.html", {"checked": checked})


def _warnings(site: Site, form: Form, order: Submission, wanted: Sequence[int]) -> list[str]:
    """Return what looks like a mistake in the files of a job that makes the frames `wanted`."""
    said = list(found.look(site, form, messages.PLATE).warnings)
    if order.mask:
        said += found.look(site, form, messages.MASK).warnings
    out = sequences.parse(order.out)
    there = [frame for frame in wanted if out.path(frame).exists()]
    if there:
        said.append(f"These output files exist and are replaced: frames {sequences.format_range(there)}.")
    return said


def _submitting(site: Site, change: Callable[[Submission], Submission]) -> Callable[[Request], object]:
    """Return the endpoint that submits the job of a form, after `change`."""

    def handle(request: Request, form: Form) -> Response:
        with site.client(start=True) as client:
            order = change(run_form.order_of(site, client, form))
            job = submit(client, order).job
        return site.render(request, "_submitted.html", {"job": job, "order": order})

    return with_form(handle)
