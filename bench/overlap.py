"""How much of the time a card would be busy: `videomama` on a fake device, through a server, EXR to EXR.

python bench/overlap.py --json

The device is held for a given time per window and takes no processor meanwhile; all that the host does is the real
code. First the device takes no time at all, which says what the host needs: `hd_host_cpu_ms` and `uhd_host_cpu_ms` are
processor time a frame for colour, placing, guides and lifting, `all_cpu_ms` those of server and worker with reading,
digests, quality control and writing. The region is the whole plate. Then the device takes 1.3 times what the host needs
on its cores: `efficiency` is the time that the device was held over the time of the job, from submitted to done, the
lower of both sizes, which other work on the machine disturbs. `efficiency_by_processor` is what it would be without:
the device's clock stands still while the host waits for a core, and what the host does while the device is idle counts
by its processor time, shared by the cores.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import footage
from private_server import finish, private_server, processor_seconds
from videomama_client.client import Client
from videomama_client.engine_options import EngineOption
from videomama_client.settings import MatteSettings
from videomama_server.files import settling
from videomama_server.submission import Submission

SIZES = {"small": (960, 540), "hd": (1920, 1080), "uhd": (3840, 2160)}
ENGINE = Path(__file__).with_name("overlap_engine.py")
SLOWER = 1.3  # than the host, per frame


@contextmanager
def environment() -> Iterator[Path]:
    """Have servers started in an environment that has the engine beside all that is here; yield the engine's folder."""
    with tempfile.TemporaryDirectory(prefix="videomama-bench-") as name:
        home = Path(name)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
        python = home / "bin" / "python"
        asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
        site = Path(subprocess.check_output([python, "-I", "-c", asked], text=True).strip())
        (site / "here.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
        shutil.copy(ENGINE, site)
        facts = site / "videomama_overlap-1.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: videomama-overlap\nVersion: 1\n")
        (facts / "entry_points.txt").write_text("[videomama.engines]\noverlap = overlap_engine:Overlap\n")
        command = home / "videomama"
        command.write_text(f'#!/bin/sh\nexec "{python}" -I -m videomama_server "$@"\n')
        command.chmod(0o755)
        os.environ["VIDEOMAMA_COMMAND"] = str(command)
        yield site


def job(client: Client, order: Submission, hold: float, out: Path) -> tuple[float, float]:
    """Do a job on a device that takes `hold` seconds a window; return its seconds and processor seconds."""
    settings = replace(order.settings, engine_options=(EngineOption("hold", hold),))
    busy, started = processor_seconds(), time.perf_counter()
    done = finish(client, replace(order, out=str(out / "alpha.####.exr"), settings=settings))
    assert done.computed == done.frame_count
    return time.perf_counter() - started, processor_seconds() - busy


def measure(size: tuple[int, int], count: int, cores: int, site: Path) -> dict[str, float]:
    """Return what one size says, in milliseconds a frame, and how busy the device was."""
    with private_server(["--threads", str(cores)]) as (client, folder):
        plate, mask = footage.make(folder / "footage", count, *size)
        time.sleep(settling.SETTLED_S)
        order = Submission(plate, mask, "", MatteSettings(engine="overlap", roi="off"), transport="path")
        job(client, order, 0.001, folder / "warm")
        before = json.loads((site / "times.json").read_text())
        _, processor = job(client, order, 0.0, folder / "host")
        after = json.loads((site / "times.json").read_text())
        frames, windows = after["finished"] - before["finished"], after["windows"] - before["windows"]
        hold = SLOWER * processor / cores / windows
        seconds, busy = job(client, order, hold, folder / "device")
        alone = busy - json.loads((site / "times.json").read_text())["beside"] + after["beside"]
    host = sum((after[name] - before[name]) for name in ("prepare", "finish")) / frames
    return {
        "host_cpu_ms": 1000 * host,
        "all_cpu_ms": 1000 * processor / frames,
        "hold_ms_per_window": 1000 * hold,
        "efficiency": windows * hold / seconds,
        "efficiency_by_processor": windows * hold / (windows * hold + alone / cores),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=240, help="frames of a job")
    parser.add_argument("--sizes", default="hd,uhd", help="which of small, hd and uhd")
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1, help="threads of the server")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    report: dict[str, float] = {}
    with environment() as site:
        for name in asked.sizes.split(","):
            found = measure(SIZES[name], asked.frames, asked.cores, site)
            report |= {f"{name}_{key}": round(value, 3) for key, value in found.items()}
    report["efficiency"] = min(value for key, value in report.items() if key.endswith("_efficiency"))
    report |= {"frames": asked.frames, "cores": asked.cores}
    print(json.dumps(report) if asked.json else report)


if __name__ == "__main__":
    main()
