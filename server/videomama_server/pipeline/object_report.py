"""Says what clients are told of one object of a job, or of its only mask: before it is computed, and at the end."""

from __future__ import annotations

from videomama_client.messages import ObjectDone, ObjectPlanned

from videomama_server.pipeline import remade
from videomama_server.pipeline.object_work import ObjectWork


def planned(work: ObjectWork) -> ObjectPlanned:
    """Return what clients are told before it is computed."""
    order = work.order
    engines = [stage.order.engine_name for stage in work.stages]
    out = order.delivery.pattern
    where = str(out.folder / out.name)
    return ObjectPlanned(order.object, order.engine_name, where, _plan(work), work.first.mask, engines)


def done(work: ObjectWork, judged: int) -> ObjectDone:
    """Return what clients are told at the end; `judged` of its frames have scores."""
    cached = work.begun.cached
    computed = len(work.wanted) - cached
    name, engine, stages = work.order.object, work.order.engine_name, work.stages_done()
    digest = remade.mask_digest(work.order.reader, work.first.plan.frames)
    return ObjectDone(name, computed, cached, engine, _plan(work), judged, work.first.mask, stages, mask_digest=digest)


def region(work: ObjectWork) -> list[int]:
    """Return the region as clients are told of it: that of the first stage after the makers of masks."""
    stages = work.stages
    return next((stage for stage in stages if not stage.order.makes_masks), stages[0]).survey.roi


def _plan(work: ObjectWork) -> str:
    """Return what the engine of the first stage runs on and how."""
    return work.order.engine.describe(work.first.identity.settings)
