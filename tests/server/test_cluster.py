"""Units of work on a real Ray cluster of this machine alone: its settings, what is lost, and what cannot work."""

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from dataclasses import replace

import psutil
import pytest
from videomama_client import __version__
from videomama_client.errors import BadInput, ServerUnreachable
from videomama_client.whole_files import mark
from videomama_server import cluster
from videomama_server.cluster import RayDoer, check_installed

PROGRAM = """
import json, os, signal, subprocess, sys
from pathlib import Path
import psutil
from videomama_client.errors import ServerUnreachable
from videomama_server.cluster import RayDoer

folder = Path(sys.argv[1])

class Listener:
    told = []
    def unit(self, name): self.told.append(["unit", name])
    def step(self, count=1): self.told.append(["step", count])
    def say(self, text): self.told.append(["say", text])

def tries(unit):
    with (folder / unit).open("a") as file:
        file.write("x")
    return (folder / unit).stat().st_size

def work(unit, client, listener):
    listener.unit(unit)
    count = tries(unit)
    if unit == "dies once" and count == 1 or unit == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if unit == "loses its server once" and count == 1:
        raise ServerUnreachable("gone")
    listener.step(2)
    with client.get() as known:
        status = known.status()
    kept = {name: value for name, value in os.environ.items() if name.startswith("RAY_")}
    device = next(one.value for one in status.config if one.name == "device")
    return {"tries": count, "variables": kept, "device": device, "path": sys.path, "here": os.getcwd()}

def watched(units, listener):
    for place, found in RayDoer("ray", 0, folder / "out").do(work, units, listener):
        family = psutil.Process().children(recursive=True)
        if place == 0:
            import ray  # as the variables are set by now
            facts["token"] = os.environ["RAY_AUTH_TOKEN"]
            facts["dashboard"] = ray._private.worker._global_node.webui_url
            facts["gcs"] = ray.get_runtime_context().gcs_address
            own = {one.pid for one in family} | {os.getpid()}
            facts["listens"] = sorted({one.laddr.ip for one in psutil.net_connections()
                                       if one.status == "LISTEN" and one.pid in own})
            other = [sys.executable, "-c", "import ray, sys; ray.init(sys.argv[1])", facts["gcs"]]
            facts["stranger"] = subprocess.run(other, env=os.environ | {"RAY_AUTH_TOKEN": "0" * 64},
                                               capture_output=True, text=True).returncode
        facts["pids"] = sorted({*facts.get("pids", []), *(one.pid for one in family)})
        yield place, found

facts, listener = {}, Listener()
results = {}
units = ["plain", "dies once", "loses its server once", "dies"]
for place, found in watched(units, listener):
    results[units[place]] = found if isinstance(found, dict) else str(found)
print(json.dumps({"facts": facts, "results": results, "told": listener.told}))
"""


@pytest.mark.slow
def test_a_cluster_of_this_machine_keeps_to_itself_and_does_what_was_lost_again(tmp_path, eventually):
    pytest.importorskip("ray", reason="the extra cluster is not installed")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VIDEOMAMA_", "RAY_"))}
    own = {"VIDEOMAMA_CACHE_DIR": str(tmp_path / "cache"), "VIDEOMAMA_CONFIG": os.devnull}
    own["RAY_worker_niceness"] = "0"  # else whatever else this machine does goes first
    short = tempfile.mkdtemp(prefix="ray-")  # names of sockets have at most 107 bytes
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env=kept | own | {"HOME": str(tmp_path), "RAY_TMPDIR": short, "TMPDIR": short},
        cwd=tmp_path,
    )
    shutil.rmtree(short, ignore_errors=True)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    _check_settings(said["facts"], said["results"]["plain"], tmp_path)
    results = said["results"]
    assert [results[name]["tries"] for name in ("dies once", "loses its server once")] == [2, 2]
    assert "was lost 4 times" in results["dies"]
    assert (tmp_path / "dies").stat().st_size == 4
    assert sorted(said["told"]) == sorted(
        [
            [what, value]
            for name in ("plain", "dies once", "loses its server once")
            for what, value in (("unit", name), ("step", 2))
        ]
    )
    assert list((tmp_path / "out").iterdir()) == []
    eventually(lambda: not any(map(lives, said["facts"]["pids"])), "all its processes are gone")


def _check_settings(facts, result, folder):
    variables = result["variables"]
    assert (variables["RAY_AUTH_MODE"], variables["RAY_USAGE_STATS_ENABLED"]) == ("token", "0")
    assert variables["RAY_AUTH_TOKEN"] == facts["token"]
    assert len(facts["token"]) == 64
    assert facts["stranger"] != 0  # a program with another token is not let in
    assert not facts["dashboard"]
    assert set(facts["listens"]) <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
    assert not (folder / ".ray").exists()
    assert result["device"] == "cpu"
    assert str(folder) not in {result["here"], *result["path"]}  # nothing is imported from the caller's folder


def lives(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_without_ray_an_error_names_the_command(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BadInput, match="Ray, which is not installed") as caught:
        check_installed()
    assert "pip install 'videomama-bridge[cluster]'" in caught.value.hint


def test_a_machine_with_another_version_or_folder_does_nothing(tmp_path):
    site = cluster._Site(__version__, tmp_path / "mark", 1)
    with pytest.raises(BadInput, match="does not see the folder"):
        cluster._do(None, "unit", site)
    site.mark.touch()
    site.check()
    with pytest.raises(BadInput, match="has version"):
        replace(site, version="0.0.1").check()


def test_the_mark_of_a_folder_goes_with_its_command_and_that_of_a_killed_one_with_the_next(tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    left = tmp_path / f".cluster-{mark().replace(str(os.getpid()), str(ended.pid))}x"
    left.touch()
    os.utime(left, (0, 0))
    with cluster._marked(tmp_path) as seen:
        assert list(tmp_path.iterdir()) == [seen]
        with cluster._marked(tmp_path):
            assert seen.exists()
    assert list(tmp_path.iterdir()) == []


def test_a_connection_that_fails_says_what_to_do():
    known = {
        RuntimeError("Token authentication is enabled but no token was found. Do this."): (BadInput, "auth_token"),
        RuntimeError("Version mismatch: The cluster was started with 2.1"): (BadInput, "same Ray and Python"),
        ConnectionError("ray client connection timeout"): (ServerUnreachable, "Start one"),
    }
    for error, (kind, hint) in known.items():
        told = cluster._refused("head:6379", error)
        assert type(told) is kind
        assert "head:6379" in told.message
        assert hint in told.hint
    assert cluster._refused("x", RuntimeError("First. Second.")).message.endswith(": First")


@pytest.mark.parametrize("address", ["127.0.0.1:{0}", "ray://127.0.0.1:{0}", "127.0.0.1:99999"])
def test_an_address_where_nobody_listens_is_an_error_at_once(address):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        free = address.format(taken.getsockname()[1])
        with pytest.raises(ServerUnreachable, match="no Ray cluster answers"):
            cluster._check_listens(free)
    cluster._check_listens("auto")
    cluster._check_listens("")


def test_a_gpu_that_can_never_come_is_an_error_and_one_that_may_is_waited_for(monkeypatch, tmp_path):
    class Cluster:
        def __init__(self):
            self.resources = {}

        def cluster_resources(self):
            return self.resources

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    ray, heard = Cluster(), cluster._Notes()
    with pytest.raises(BadInput, match="no GPU"):
        RayDoer("ray", 1, tmp_path)._check_gpus(ray, heard)
    RayDoer("ray", 0, tmp_path)._check_gpus(ray, heard)
    assert heard.told == []
    RayDoer("head:6379", 1, tmp_path)._check_gpus(ray, heard)
    assert [what for what, _ in heard.told] == ["say"]
    ray.resources = {"GPU": 2.0}
    RayDoer("ray", 1, tmp_path)._check_gpus(ray, heard)
    assert len(heard.told) == 1
