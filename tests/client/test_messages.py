import re
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import get_args, get_origin, get_type_hints

import pytest
from videomama_client import messages
from videomama_client.engine_options import EngineOption
from videomama_client.errors import BadInput
from videomama_client.objects import MaskObject
from videomama_client.prompts import Prompt
from videomama_client.setting_spec import SettingSpec
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage

KINDS = sorted(messages.KINDS.items())
PLAIN_RECORDS = {  # that messages hold, and that hold no other
    EngineOption,
    Prompt,
    SettingSpec,
    messages.ConfigValue,
    messages.LoadedEngine,
    messages.LogLine,
    messages.MaskTaken,
    messages.Phase,
    messages.QcFlag,
    messages.SideDone,
    messages.SideResult,
    messages.StageDone,
    messages.Submitter,
}
RECORDS = PLAIN_RECORDS | {
    MatteSettings,
    Stage,
    MaskObject,
    messages.EngineState,
    messages.JobState,
    messages.ObjectPlanned,
    messages.ObjectDone,
}


ALONE = {MatteSettings, messages.MaskTaken, messages.Phase, messages.Submitter, messages.JobState}  # not in a list
WHOLE = {messages.SubmitMatte, messages.MatteDone}  # messages that `JobDescribed` repeats


def is_flat(hint, records=RECORDS) -> bool:
    """Whether a field is a value, a list of values or records, or a record or message that stands alone."""
    if get_origin(hint) in (list, tuple):
        return get_args(hint)[0] in {str, int, float, *records}
    kinds = {kind for kind in get_args(hint) or (hint,) if kind is not type(None)}
    return kinds <= {str, int, float, bool} or kinds <= (records & ALONE) | WHOLE


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_kind_is_flat_frozen_and_documented(name, kind):
    assert name == kind.__name__
    assert is_dataclass(kind)
    assert kind.__dataclass_params__.frozen
    assert re.match(r"[A-Z].*\.", kind.__doc__)
    assert all(is_flat(hint) for hint in get_type_hints(kind).values())
    assert "kind" not in {field.name for field in fields(kind)}, "the wire uses this name"


def test_every_message_class_can_travel():
    classes = {name: value for name, value in vars(messages).items() if is_dataclass(value)}
    assert {name for name, value in classes.items() if value not in RECORDS} == messages.KINDS.keys()


def test_a_record_inside_a_message_holds_plain_ones_at_most():
    for record in RECORDS:
        inside = set() if record in PLAIN_RECORDS else PLAIN_RECORDS
        inside = inside | {Stage} if record is MaskObject else inside  # which may have a chain of its own
        inside = (
            inside | {MatteSettings} if record is messages.StageDone else inside
        )  # which tells them to be given again
        assert all(is_flat(hint, inside) for hint in get_type_hints(record).values())


def test_every_event_of_a_job_names_it():
    assert all("job" in {field.name for field in fields(kind)} for kind in messages.JOB_EVENTS)


def test_every_reply_names_its_request():
    replies = get_args(messages.Reply)
    assert all(fields(kind)[0].name == "request" for kind in replies)


def test_the_document_names_every_message_and_the_version():
    text = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
    assert [name for name in messages.KINDS if name not in text] == []
    for record in (*RECORDS - {MatteSettings}, messages.EnginesReported, messages.MatteDone):
        assert [field.name for field in fields(record) if f"`{field.name}`" not in text] == []
    assert re.search(rf"version\D*\b{messages.PROTOCOL_VERSION}\b", text, re.IGNORECASE)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(messages.SubmitMatte) == {"rehash": False, "inline": False}
    assert numbers_left_out(messages.CacheReported) == {
        "removed": 0,
        "freed_bytes": 0,
        "older_entries": 0,
        "older_bytes": 0,
    }
    assert numbers_left_out(messages.MaskTaken) == {"offset": 0.0}
    assert numbers_left_out(messages.MatteDone) == {"judged": 0}
    assert numbers_left_out(messages.ReportStatus) == {"brief": False}
    assert numbers_left_out(messages.StatusReported) == {"jobs_waiting": 0}


@pytest.mark.parametrize("kind", [messages.MatteFailed, messages.RequestRefused])
def test_an_error_arrives_as_it_was_raised(kind):
    raised = BadInput("it is damaged", "Check it.", role="mask", frame=7, file="/a.0007.exr")
    told = kind.by("j", raised).error
    assert type(told) is BadInput
    assert (told.message, told.hint) == ("it is damaged", "Check it.")
    assert (told.role, told.frame, told.file) == ("mask", 7, "/a.0007.exr")


def test_what_is_left_out_of_a_message_says_nothing():
    """A number is 0, a text or list is empty, a switch is off: who adds a field says nothing by not filling it in."""
    said = {
        (kind.__name__, field.name): default
        for kind in {*messages.KINDS.values(), *RECORDS} - {MatteSettings, SettingSpec}
        for field in fields(kind)
        if (default := left_out(field)) is not MISSING and default
    }
    assert said == {
        ("SubmitMatte", "priority"): "interactive",
        ("EngineState", "role"): "matting",
        ("StageDone", "role"): "matting",
        ("ReportHistory", "limit"): 50,
        ("ReportLog", "limit"): 200,
        ("LogLine", "level"): "info",
        ("JobState", "stage_count"): 1,
        ("Submitter", "program"): "script",
        ("Prompt", "subject"): True,
    }


def left_out(field):
    return field.default if field.default_factory is MISSING else field.default_factory()
