"""Tells what came of a job: in lines for people, and in the words of `--json`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
from videomama_client import messages
from videomama_client.objects import called
from videomama_client.stages import label
from videomama_client.wording import counted

if TYPE_CHECKING:
    from videomama_server.cli.person import Search


def say(done: messages.MatteDone) -> None:
    """Tell what was done, by which engines, on which region, and where masks drift; warnings on standard error."""
    for warning in done.warnings:
        click.echo(f"Warning: {warning}", err=True)
    names = ", then ".join(stage.engine for stage in done.stages) or done.engine
    click.echo(
        f"{counted(done.frame_count, 'frame')} ({done.computed} computed, {done.cached} cached) "
        f"in {done.seconds:.1f} s by {names}, region {','.join(map(str, done.roi))}, plate as {done.colorspace}"
    )
    sides = [
        f"{called(side.kind, side.object)}: {side.computed} computed, {side.cached} cached"
        for side in done.side_results
    ]
    for line in filter(None, (*_details(done), *sides)):
        click.echo(line)
    say_drift(done)


def as_result(done: messages.MatteDone, person: Search | None = None) -> dict[str, Any]:
    """Return a result in the words of `--json`, which scripts read; with the person that was searched for."""
    from videomama_server.qc.flags import as_dict

    result = asdict(done)
    del result["job"]
    found = {"person": person.as_dict()} if person else {}
    return {"frames": result.pop("frame_count"), **result, "flags": [as_dict(flag) for flag in done.flags], **found}


def say_drift(done: messages.MatteDone) -> None:
    """Tell where masks that were made of prompts seem to have left the subject."""
    from videomama_server.qc.flags import DRIFT, sentence

    for flag in done.flags:
        if flag.kind == DRIFT:
            click.echo(f"Masks: {sentence(flag)}")


def say_flags(done: messages.MatteDone) -> None:
    """Tell what the server's quality control flagged, as `videomama qc` does."""
    from videomama_server.qc.flags import DRIFT, sentence

    flags = [flag for flag in done.flags if flag.kind != DRIFT]
    for flag in flags:
        click.echo(f"QC: {sentence(flag)}")
    if done.judged and not flags:
        click.echo(f"QC: nothing flagged on {counted(done.judged, 'frame')}")
    if done.judged < done.frame_count:
        click.echo(f"QC: {counted(done.frame_count - done.judged, 'frame')} not judged")


def _details(done: messages.MatteDone) -> list[str]:
    """Say what each stage did, and what the masks were taken for; of each of several objects with its name."""
    if not done.objects:
        return [*_stages_said(done), _mask_said(done.mask)]
    found = []
    for one in done.objects:
        found.append(f"{one.name}: {one.computed} computed, {one.cached} cached, by {one.engine}")
        found += [f"{one.name}: {line}" for line in filter(None, (*_stages_said(one), _mask_said(one.mask)))]
    return found


def _stages_said(done: messages.MatteDone | messages.ObjectDone) -> list[str]:
    """Say what the engine ran on, or what each of several stages did."""
    if len(done.stages) < 2:
        return [done.plan]
    return [_stage_said(label(index, stage.engine, 2), stage) for index, stage in enumerate(done.stages)]


def _stage_said(name: str, stage: messages.StageDone) -> str:
    if not stage.computed and not stage.cached:
        return f"{name}: nothing was needed of it"
    ran_on = f"; {stage.plan}" if stage.computed and stage.plan else ""
    return f"{name}: {stage.computed} computed, {stage.cached} cached{ran_on}"


def _mask_said(taken: messages.MaskTaken | None) -> str:
    """Say what the masks were taken for, so that the numbers can be given again; nothing where nobody asked."""
    if taken is None:
        return ""
    quality = {"": "the numbers say", "unsure": "rough, as the plate did not say"}.get(taken.quality, taken.quality)
    return (
        f"mask taken as {quality}: --mask-slack {taken.mask_slack:g} "
        f"--trimap-erode {taken.trimap_erode:g} --trimap-dilate {taken.trimap_dilate:g}"
    )
