"""One shot of a batch: what its options come to, and that whatever goes wrong is its own result."""

import pytest
from videomama_client import connection
from videomama_client.client import Client
from videomama_client.errors import BadInput, ServerUnreachable
from videomama_server.batch.rates import Rates
from videomama_server.batch.shots import Shot
from videomama_server.cli import shot_run
from videomama_server.cli.shot_run import asked_shot, check_apart, run_shot, shot_options


@pytest.fixture
def make_shot(make_clip):
    """Make a shot of a clip: `make_shot(engine="passthrough")`."""

    def make(name="sh1", **options):
        clip = make_clip(count=2)
        given = {"plate": clip.plate, "mask": clip.mask, "out": clip.out, "engine": "passthrough", "roi": "off"}
        return Shot(name, {**given, **options}, lambda key: f"shots.yaml, line 3, shot {name}", clip.folder)

    return make


@pytest.fixture
def run(server, tmp_path):
    """Run a shot on the shared server."""

    def call(shot, connect=None):
        connect = connect or (lambda: Client(connection.read(server.connection_file)))
        return run_shot(asked_shot(shot), connect, Rates(tmp_path / "rates.json"))

    return call


def test_a_shot_is_done_then_kept_and_its_rate_is_noted(run, make_shot, tmp_path):
    shot = make_shot()
    first = run(shot)
    assert (first.state, first.frames, first.computed, first.error) == ("done", 2, 2, None)
    assert first.out.endswith("alpha.####.exr")
    assert Rates(tmp_path / "rates.json").seconds("passthrough", 1, 1) > 0
    assert (run(shot).state, run(shot).frames) == ("kept", 2)


def test_a_shot_is_a_batch_job_of_its_name_unless_it_says_otherwise(make_shot):
    assert asked_shot(make_shot()).order.priority == "batch"
    assert asked_shot(make_shot(priority="interactive")).order.priority == "interactive"
    assert asked_shot(make_shot("sh7")).order.label == "sh7"
    assert asked_shot(make_shot()).order.program == "batch"


def test_a_movie_to_look_at_is_one_of_a_shots_outputs(make_shot, tmp_path):
    look = tmp_path / "look.mp4"
    assert str(look) in asked_shot(make_shot(**{"preview-movie": str(look)})).outputs


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mask": None}, "--mask not given"),
        ({"engine": "classik"}, "unknown engine"),
        ({"window": "many"}, "not a valid"),
        ({"dtype": "int"}, "'int' is not one of"),
        ({"plate": "/nowhere/p.####.exr"}, "nowhere"),
        ({"out": "/dev/null/a.####.exr"}, "/dev/null"),
        ({"clip": "1001-1009"}, "missing"),
        ({"then": ["nothing x=1"]}, "unknown engine"),
    ],
)
def test_what_is_wrong_with_a_shot_is_its_result(run, make_shot, options, said):
    result = run(make_shot(**options))
    assert result.state == "failed"
    assert said in result.error["message"]
    assert result.error["code"] in ("bad-input", "not-permitted", "usage")


def test_a_server_that_dies_is_asked_once_more(run, make_shot, server, capsys):
    calls = []

    def dies_once():
        calls.append(None)
        if len(calls) == 1:
            raise ServerUnreachable("the server fell silent")
        return Client(connection.read(server.connection_file))

    assert run(make_shot(), dies_once).state == "done"
    assert "Warning: the server fell silent. Trying once more." in capsys.readouterr().err

    def is_gone():
        calls.append(None)
        raise ServerUnreachable("nobody answers", "Start one.")

    calls.clear()
    result = run(make_shot(), is_gone)
    assert (result.state, result.error["code"], len(calls)) == ("failed", "server-unreachable", 2)


def test_ctrl_c_is_a_cancelled_shot(run, make_shot, monkeypatch):
    def interrupted(client, asked):
        raise KeyboardInterrupt

    monkeypatch.setattr(shot_run, "refined", interrupted)
    assert run(make_shot()).state == "cancelled"


def test_a_disk_that_fails_is_told_in_words(run, make_shot, monkeypatch):
    def fails(client, asked):
        raise OSError(28, "No space left on device", "/full/alpha.1001.exr")

    monkeypatch.setattr(shot_run, "refined", fails)
    result = run(make_shot())
    assert result.state == "failed"
    assert "/full" in result.error["message"]


def test_two_shots_that_write_the_same_files_are_refused(make_shot):
    one, two = make_shot("a"), make_shot("b", out="/tmp/same.####.exr")
    check_apart([asked_shot(one), asked_shot(two)])
    three = make_shot("c", **{"out": "/tmp/other.####.exr", "hole-masks": "/tmp/same.####.exr"})
    with pytest.raises(BadInput, match=r"the shots b and c both write /tmp/same\.####\.exr"):
        check_apart([asked_shot(two), asked_shot(three)])


def test_a_preview_wants_only_its_frames(make_shot):
    shot = asked_shot(make_shot(preview="1"))
    assert len(shot.order.wanted()) == 1
    assert len(shot.needs().frames) == 1


def test_a_shot_that_cannot_be_read_says_so_when_asked_what_it_needs(make_shot):
    with pytest.raises(BadInput, match="--mask not given"):
        asked_shot(make_shot(mask=None)).needs()


def test_the_server_is_that_of_the_batch():
    assert {"plate", "priority", "then-run"} <= shot_options()
    assert not {"connection-file", "no-start", "json", "job"} & shot_options()
