"""Errors with `--json`: one object on standard output, whatever went wrong, with the exit code of the text."""

import errno
import json
import os
import sys

import click
import pytest
from videomama_client import launch
from videomama_server import cli, submission

FIELDS = {"code", "message", "hint", "role", "frame", "file"}


def commands(command=cli.videomama, words=()):
    """Yield the words of every command that takes `--json`."""
    with click.Context(command) as context:
        takes = any("--json" in parameter.opts for parameter in command.params)
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                inner = [*words, "--json", name] if takes else [*words, name]
                yield from commands(command.resolve_command(context, [name])[1], inner)
        if takes and not isinstance(command, click.Group):
            yield [*words, "--json"]
        elif "--json" in words:
            yield list(words)


def error_of(said):
    """Return the object; fails when there is more on standard output, or anything on standard error but progress."""
    told = json.loads(said.out)
    assert told.keys() == FIELDS
    assert "Error" not in said.err
    assert "Traceback" not in said.err
    return told


def test_all_commands_that_print_json_are_known_to_these_tests():
    names = {" ".join(word for word in words if word != "--json") for words in commands()}
    assert {
        "matte",
        "qc",
        "metrics",
        "foreground",
        "status",
        "cache stat",
        "doctor",
        "evaluate",
        "weights check",
    } <= names


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_a_usage_error_is_one_object(videomama, words):
    said = videomama(*words, "--nonsense")
    told = error_of(said)
    assert said.code == 2
    assert told["code"] == "usage"
    assert "--nonsense" in told["message"]
    assert "--help" in told["hint"]
    assert (told["role"], told["frame"], told["file"]) == (None, None, None)


@pytest.mark.parametrize(
    "words", [["mattte"], ["matte", "--window", "x"], ["cache", "verfy"], ["metrics", "one"]], ids=" ".join
)
def test_other_usage_errors_are_one_object_too(videomama, words):
    said = videomama(*words, "--json")
    assert said.code == 2
    assert error_of(said)["code"] == "usage"


def test_without_json_an_error_is_text_and_nothing_is_on_standard_output(videomama, tmp_path):
    said = videomama("status", "--connection-file", tmp_path / "none.json")
    assert said.out == ""
    assert said.err.startswith("Error: ")


def test_a_json_behind_two_dashes_is_an_argument(videomama):
    said = videomama("metrics", "--", "--json", "b")
    assert said.out == ""
    assert "no frames match" in said.err


@pytest.mark.parametrize("transport", ["path", "inline"])
@pytest.mark.parametrize("role", ["plate", "mask"])
def test_an_error_of_a_frame_names_role_frame_and_file(videomama, server, make_clip, role, transport):
    clip = make_clip(count=3)
    path = clip.file(role, 1002)
    path.write_bytes(path.read_bytes()[:500])
    place = ["--connection-file", str(server.connection_file), "--transport", transport]
    said = videomama(*clip.flags("--json", *place))
    told = error_of(said)
    assert said.code == 1
    assert (told["code"], told["role"], told["frame"], told["file"]) == ("bad-input", role, 1002, str(path))
    assert told["message"].startswith(f"{role} frame 1002: cannot read {path}")
    assert told["hint"]


@pytest.mark.parametrize("role", ["plate", "mask"])
def test_a_pattern_that_matches_nothing_names_the_role(videomama, server, make_clip, role):
    clip = make_clip(count=1)
    clip.file(role, 1001).unlink()
    told = error_of(videomama(*clip.flags("--json", "--connection-file", str(server.connection_file))))
    assert told["role"] == role
    assert told["message"].startswith(f"{role}: no frames match ")


def test_frames_that_are_missing_name_the_first(videomama, server, make_clip):
    clip = make_clip(count=4)
    clip.file("mask", 1003).unlink()
    told = error_of(videomama(*clip.flags("--json", "--connection-file", str(server.connection_file))))
    assert (told["role"], told["frame"]) == ("mask", 1003)


@pytest.mark.parametrize("command", ["qc", "foreground", "metrics"])
def test_commands_that_need_no_server_name_the_place_too(videomama, make_clip, tmp_path, command):
    clip = make_clip(count=2)
    path = clip.file("mask", 1002)
    path.write_bytes(b"not a picture")
    words = {
        "qc": ["--plate", clip.plate, "--mask", clip.mask, "--alpha", clip.mask],
        "foreground": ["--plate", clip.plate, "--alpha", clip.mask, "--out", tmp_path / "fg.####.exr"],
        "metrics": [clip.mask, clip.mask],
    }
    told = error_of(videomama(command, *words[command], "--json"))
    assert (told["frame"], told["file"]) == (1002, str(path))
    assert told["role"] == {"qc": "mask", "foreground": "alpha", "metrics": None}[command]


@pytest.mark.parametrize(
    ("command", "option"), [("qc", "--alpha-channel"), ("foreground", "--alpha-channel"), ("metrics", "--channel")]
)
def test_a_channel_that_is_not_there_is_answered_with_the_option_of_that_command(
    videomama, make_clip, tmp_path, command, option
):
    clip = make_clip(count=1)
    words = {
        "qc": ["--plate", clip.plate, "--mask", clip.mask, "--alpha", clip.mask],
        "foreground": ["--plate", clip.plate, "--alpha", clip.mask, "--out", tmp_path / "fg.####.exr"],
        "metrics": [clip.mask, clip.mask],
    }
    told = error_of(videomama(command, *words[command], option, "AA", "--json"))
    assert "no channel 'AA'" in told["message"]
    assert told["hint"].endswith(f"Choose one with {option}.")


def test_ctrl_c_is_one_object_with_the_code_of_an_interrupt(videomama, make_clip, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(launch, "connect", interrupt)
    said = videomama(*make_clip(count=1).flags("--json"))
    assert said.code == 130
    assert error_of(said)["code"] == "cancelled"


def test_a_fault_of_ours_is_one_object_and_its_traceback_goes_to_the_log(videomama, make_clip, monkeypatch, caplog):
    def fail(*_, **__):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(launch, "connect", fail)
    said = videomama(*make_clip(count=1).flags("--json"))
    told = error_of(said)
    assert said.code == 1
    assert (told["code"], told["message"]) == ("internal", "ZeroDivisionError: oh")
    assert "Traceback" in caplog.text


@pytest.mark.parametrize(("typo", "meant"), [("mattte", "matte"), ("statu", "status"), ("Doctor", "doctor")])
def test_a_typo_in_a_command_is_answered_with_the_command(videomama, typo, meant):
    said = videomama(typo)
    assert said.code == 2
    assert f"No such command '{typo}'. Did you mean {meant}?" in said.err


def test_an_output_folder_that_may_not_be_written_is_named(videomama, server, make_clip, monkeypatch):
    clip = make_clip(count=1)

    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(clip.folder / "out" / ".videomama-x"))

    monkeypatch.setattr("videomama_client.client.tempfile.mkstemp", refuse)  # root may write anywhere
    told = error_of(videomama(*clip.flags("--json", "--connection-file", str(server.connection_file))))
    assert told["message"] == f"{clip.folder / 'out'}: permission was denied"
    assert (told["code"], told["file"]) == ("not-permitted", str(clip.folder / "out"))


def test_what_keeps_an_inline_alpha_from_its_place_is_named(videomama, server, make_clip):
    clip = make_clip(count=1)
    (clip.folder / "out" / "alpha.1001.exr").mkdir(parents=True)
    place = ["--connection-file", str(server.connection_file), "--transport", "inline"]
    told = error_of(videomama(*clip.flags("--json", *place)))
    assert told["message"] == f"{clip.folder / 'out' / 'alpha.1001.exr'}: a folder of that name is in its place"
    assert (told["code"], told["file"]) == ("not-permitted", str(clip.folder / "out" / "alpha.1001.exr"))


def test_what_keeps_a_contact_sheet_from_its_place_is_named(videomama, make_clip, tmp_path):
    clip = make_clip(count=1)
    (tmp_path / "qc" / "qc_sheet.png").mkdir(parents=True)
    words = ["--plate", clip.plate, "--mask", clip.mask, "--alpha", clip.mask, "--out", tmp_path / "qc", "--json"]
    told = error_of(videomama("qc", *words))
    assert told["message"] == f"{tmp_path / 'qc' / 'qc_sheet.png'}: a folder of that name is in its place"


def test_a_file_in_place_of_the_output_folder_is_named(videomama, server, make_clip):
    clip = make_clip(count=1)
    (clip.folder / "out").write_text("a file")
    told = error_of(videomama(*clip.flags("--json", "--connection-file", str(server.connection_file))))
    assert told["message"] == f"{clip.folder / 'out'}: a file of that name is in its place"


def test_missing_frames_of_an_inline_job_name_the_option(server, make_clip):
    clip = make_clip(count=3)
    clip.file("mask", 1002).unlink()
    order = submission.Submission(clip.plate, clip.mask, clip.out, clip.order().settings, transport="inline")
    with server.client() as client, pytest.raises(Exception, match="mask frames 1002") as caught:
        submission.submit(client, order)
    assert "--clip" in caught.value.hint


def test_an_inline_job_whose_alphas_cannot_be_written_here_is_cancelled(videomama, server, make_clip, eventually):
    clip = make_clip(count=30)
    (clip.folder / "out" / "alpha.1001.exr").mkdir(parents=True)
    place = ["--connection-file", str(server.connection_file), "--transport", "inline", "--window", "1"]
    assert videomama(*clip.flags(*place)).code == 1
    with server.client() as client:
        states = lambda: [job.state for job in client.jobs() if job.plate == clip.plate]  # noqa: E731
        eventually(lambda: states() == ["cancelled"], "it is cancelled")


@pytest.mark.skipif(sys.platform == "win32", reason="a folder that is in use cannot be removed there")
def test_a_relative_pattern_from_a_folder_that_is_gone_is_told_so(videomama, tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    words = ["--plate", "p.####.exr", "--mask", "/m.####.exr", "--out", "/o.####.exr", "--json"]
    told = error_of(videomama("matte", *words))
    assert told["message"] == "p.####.exr counts from the working folder, which is gone"
