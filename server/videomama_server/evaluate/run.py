"""Evaluates all clips of a plan with all masks, here or on a cluster: every unit that has no valid result."""

from __future__ import annotations

from functools import partial
from typing import Protocol

from videomama_client.errors import VideoMaMaError

from videomama_server.evaluate.asked import MASK
from videomama_server.evaluate.one_clip import ClipAndMasks, evaluate_clip
from videomama_server.evaluate.plan import EvaluationOutcome, EvaluationPlan, Failure
from videomama_server.many_jobs import Doer, Listener


class Progress(Listener, Protocol):
    """Receive the progress of an evaluation. A step is one frame computed or measured."""

    def begin(self, steps: int) -> None:
        """Set the number of steps of the whole evaluation."""


class Runner:
    """Run the units of a plan, and skip those with a valid result.

    Args:
        plan: what to do.
        doer: does the clips.
        progress: receives each step and each message.
    """

    def __init__(self, plan: EvaluationPlan, doer: Doer, progress: Progress) -> None:
        self._plan, self._doer, self._progress = plan, doer, progress

    def run(self) -> EvaluationOutcome:
        """Do all units; one that fails does not keep the others from being done.

        Raises:
            KeyboardInterrupt: the jobs under way were cancelled on the server.
        """
        plan = self._plan
        asked = [(clip, masks) for clip in plan.clips for masks in plan.masks_of(clip)]
        self._progress.begin(sum(self._steps(one) for one in asked))
        found = dict(self._doer.do(partial(evaluate_clip, plan), asked, self._progress))
        outcome = EvaluationOutcome()
        for place, one in enumerate(asked):
            part = _told(one, found[place])
            outcome.units.extend(part.units)
            outcome.failures.extend(part.failures)
        return outcome

    def _steps(self, one: ClipAndMasks) -> int:
        """Return the steps of a clip: each frame is computed and measured, by every engine and for the masks."""
        clip, _ = one
        return 2 * len(clip.numbers) * (1 + len(self._plan.engines) + len(clip.others))


def _told(one: ClipAndMasks, found: EvaluationOutcome | VideoMaMaError) -> EvaluationOutcome:
    if isinstance(found, EvaluationOutcome):
        return found
    clip, masks = one
    return EvaluationOutcome(failures=[Failure(clip.name, masks.name, MASK, found.message, found.hint)])
