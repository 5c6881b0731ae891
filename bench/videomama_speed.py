"""The engine's network beside the published inference with stock modules: same checkpoint, same inputs, one run.

python bench/videomama_speed.py --json
python bench/videomama_speed.py --json --canvas 1024x576 --frames 16 --device cuda

Each side runs in a fresh process of its own, one after the other, so that neither sees the other's memory: `stock`,
`stock_channels_last` and `ours`, which is the engine's own `Model`. Production computes 16 frames for 12 new ones, so
`ours` also has its time per new frame. `--interleaved` runs all three in one process, a round of each in turn, and
gives medians of processor time: what a busy machine can still say. `--end-to-end` goes from EXR to EXR.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

SCALING = 0.18215
SIDES = ("stock", "stock_channels_last", "ours")
NEW_OF_WINDOW = 12 / 16  # production computes 16 frames for 12 new ones
STAGES = ("encode_plate", "encode_mask", "unet", "decode")
NAMES = {torch.float32: "fp32", torch.float16: "fp16", torch.bfloat16: "bf16"}
DTYPES = {name: dtype for dtype, name in NAMES.items()}


class Meter:
    """Takes the time of stages and the peak of memory on one device."""

    def __init__(self, device: torch.device, clock: Callable[[], float] = time.perf_counter) -> None:
        self.device = device
        self.clock = clock
        self.seconds: dict[str, float] = {}

    def time(self, stage: str, work: Callable[[], Tensor]) -> Tensor:
        """Do `work` and note its seconds."""
        self._wait()
        started = self.clock()
        result = work()
        self._wait()
        self.seconds[stage] = self.clock() - started
        return result

    def forget_peak(self) -> None:
        """Count the peak from here on."""
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        else:
            Path("/proc/self/clear_refs").write_text("5")

    def peak_bytes(self) -> int:
        """Return the peak: of tensors on a card, of the resident process on a CPU, mapped files included."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device)
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


Run = Callable[[Meter, dict[str, Tensor]], Tensor]


def straight_side(asked: argparse.Namespace) -> tuple[Run, torch.dtype, int]:
    """Return how the published way runs, its arithmetic, and the bytes of its weights."""
    import straight

    dtype = DTYPES[asked.arithmetic]
    models = straight.load(asked.checkpoint, dtype, asked.device)
    if asked.side == "stock_channels_last":
        for module in (*models.unet.modules(), *models.vae.modules()):
            if isinstance(module, torch.nn.Conv2d):
                module.to(memory_format=torch.channels_last)
    options = straight.Options(posterior="mode", group=asked.group)

    def run(meter: Meter, given: dict[str, Tensor]) -> Tensor:
        plate, mask = (given[name].to(asked.device, dtype) for name in ("plate", "mask"))
        mask = mask.expand(-1, 3, -1, -1).contiguous()
        c = meter.time("encode_plate", lambda: straight.encoded(models, plate, None, options))
        k = meter.time("encode_mask", lambda: straight.encoded(models, mask, None, options))
        z = meter.time("unet", lambda: straight.denoised(models, given["noise"], c, k))
        return meter.time("decode", lambda: straight.decoded(models, z, options))

    return run, dtype, sum(p.nbytes for model in (models.unet, models.vae) for p in model.parameters())


def our_side(asked: argparse.Namespace) -> tuple[Run, torch.dtype, int]:
    """Return how ours runs, its arithmetic, and the bytes of its weights."""
    from videomama_server.engines.base import EngineConfig
    from videomama_server.engines.videomama.engine import REACH
    from videomama_server.engines.videomama.model import Model

    model = Model(EngineConfig(asked.checkpoint, asked.folded, device=asked.device, dtype=asked.dtype))
    canvas = tuple(int(part) for part in reversed(asked.canvas.split("x")))

    def run(meter: Meter, given: dict[str, Tensor]) -> Tensor:
        frames = len(given["plate"])
        model.settle([canvas], frames, min(frames, asked.group))
        plate = meter.time("encode_plate", lambda: torch.stack(model.encode(list(given["plate"]))))[:, :4]
        mask = meter.time("encode_mask", lambda: torch.stack(model.encode(list(given["mask"]))))[:, :4]
        latents = torch.cat((given["noise"], plate, mask), dim=1)
        groups = (meter.time("unet", lambda: model.estimate(latents)) / SCALING).split(asked.group)
        if asked.colour:  # what is published takes the mean after it has clamped each channel
            return torch.cat([model.decode_as_published(group) for group in groups])
        return meter.time("decode", lambda: torch.cat([model.decode(group, REACH) for group in groups]))

    run(Meter(torch.device(asked.device)), {name: some[:1] for name, some in load_file(asked.inputs).items()})
    usage = model.usage()
    assert usage is not None
    return run, model._device.arithmetic, usage.resident_bytes


def side_of(asked: argparse.Namespace) -> tuple[Run, torch.dtype, int]:
    """Return how the side that was asked for runs."""
    return our_side(asked) if asked.side == "ours" else straight_side(asked)


def interleaved(asked: argparse.Namespace) -> None:
    """Run a round of each side in turn in this process; print medians of processor time, and what they come to."""
    torch.set_num_threads(asked.threads)
    given, sides = load_file(asked.inputs), {}
    for asked.side in SIDES:
        sides[asked.side] = side_of(asked)[0]
    rounds: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
    with torch.inference_mode():
        for number in range(asked.rounds + 1):
            for side, run in sides.items():
                meter = Meter(torch.device(asked.device), time.process_time)
                run(meter, given)
                rounds[side] += [meter.seconds] if number else []  # the first does not count
    found: dict[str, Any] = {
        side: {stage: round(median(one[stage] for one in some), 4) for stage in STAGES} for side, some in rounds.items()
    }
    for side in SIDES[:2]:
        found[f"speedup over {side}"] = {s: round(found[side][s] / found["ours"][s], 3) for s in STAGES}
    print(json.dumps(found))


def end_to_end(device: str, size: tuple[int, int], *, frames: int, tiny: bool) -> dict[str, Any]:
    """Return what a job from EXR to EXR takes through a server, per frame."""
    import footage
    import make_checkpoint
    from private_server import finish, private_server
    from videomama_client.settings import MatteSettings
    from videomama_server.submission import Submission

    with tempfile.TemporaryDirectory(prefix="videomama-bench-") as name:
        weights = Path(name) / "checkpoint"
        make_checkpoint.make("tiny" if tiny else "full", weights)
        words = ["--device", device, "--weights", str(weights)]
        with private_server(words) as (client, folder):
            plate, mask = footage.make(folder / "footage", frames, *size)
            settings = MatteSettings.of(engine="videomama", roi="off", canvas="128x64" if tiny else "1024x576")
            seconds = []
            for out in ("warm", "timed"):
                order = Submission(plate, mask, str(folder / out / "a.####.exr"), settings, transport="path")
                started = time.perf_counter()
                done = finish(client, order)
                seconds.append(time.perf_counter() - started)
                client.clear_cache() if out == "warm" else None
    return {"frames": frames, "computed": done.computed, "ms_per_frame": round(1e3 * seconds[-1] / frames, 1)}


def one_side(asked: argparse.Namespace) -> None:
    """Run one side `rounds` times, print its figures and write its alphas; the fastest round of each stage counts."""
    meter = Meter(torch.device(asked.device))
    started = time.perf_counter()
    run, arithmetic, held = side_of(asked)
    loaded = time.perf_counter() - started
    loading_peak = meter.peak_bytes()
    meter.forget_peak()
    given = load_file(asked.inputs)
    rounds = []
    with torch.inference_mode():
        for _ in range(asked.rounds):
            alphas = run(meter, given)
            rounds.append(dict(meter.seconds))
        peak = meter.peak_bytes()
        results = {"alphas": alphas.float().cpu().contiguous()}
        if asked.side == "ours":
            asked.colour = True
            results["colour"] = run(meter, given).float().cpu().contiguous()
    save_file(results, asked.out)
    seconds = {stage: min(found[stage] for found in rounds) for stage in STAGES}
    report = {
        **{f"{stage}_seconds": round(value, 4) for stage, value in seconds.items()},
        "total_seconds": round(sum(seconds.values()), 4),
        "load_seconds": round(loaded, 2),
        "peak_mb": round(peak / 1e6),
        "loading_peak_mb": round(loading_peak / 1e6),
        "weights_mb": round(held / 1e6),
        "arithmetic": NAMES[arithmetic],
    }
    print(json.dumps(report))


def child(asked: argparse.Namespace, side: str, **changed: Any) -> dict[str, Any]:
    """Run one side in a fresh process and return its figures."""
    given = {**vars(asked), "side": side, **changed}
    words = [f"--{name.replace('_', '-')}={given[name]}" for name in CHILD_FLAGS if given[name] is not None]
    done = subprocess.run([sys.executable, __file__, *words], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def compare(asked: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Return the figures of both sides and what they come to."""
    asked.inputs = folder / "inputs.safetensors"
    write_inputs(asked.inputs, asked.canvas, asked.frames)
    files = {side: folder / f"{side}.safetensors" for side in SIDES}
    child(asked, "fold")
    sides = {side: child(asked, side, out=out) for side, out in files.items()}
    theirs, ours, last = sides["stock"], sides["ours"], sides["stock_channels_last"]
    expected, found = load_file(files["stock"])["alphas"], load_file(files["ours"])
    upcast = theirs["weights_mb"] / 2 if theirs["arithmetic"] == "fp32" and asked.dtype != "fp32" else 0
    return {
        "speedup": round(theirs["total_seconds"] / ours["total_seconds"], 3),
        "peak_memory_ratio": round(ours["peak_mb"] / theirs["peak_mb"], 3),
        "peak_memory_ratio_if_straight_held_half_the_bytes": round(ours["peak_mb"] / (theirs["peak_mb"] - upcast), 3),
        "max_abs_diff": (found["colour"] - expected).abs().max().item(),
        "max_abs_diff_of_grey_decode": (found["alphas"] - expected).abs().max().item(),
        "alpha_mean": round(expected.mean().item(), 3),
        "alpha_std": round(expected.std().item(), 3),
        "speedup_over_channels_last": round(last["total_seconds"] / ours["total_seconds"], 3),
        "seconds_per_new_frame": {
            "stock": round(theirs["total_seconds"] / asked.frames, 4),
            "ours": round(ours["total_seconds"] / (asked.frames * NEW_OF_WINDOW), 4),
        },
        "stage_speedup": {s: round(theirs[f"{s}_seconds"] / ours[f"{s}_seconds"], 3) for s in STAGES},
        **sides,
    }


def in_turn(asked: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Return the figures of all sides in one process."""
    asked.inputs = folder / "inputs.safetensors"
    write_inputs(asked.inputs, asked.canvas, asked.frames)
    child(asked, "fold")
    return child(asked, "interleaved")


def write_inputs(path: Path, canvas: str, frames: int) -> None:
    """Write plate (T, 3, H, W) and mask (T, 1, H, W), -1..1, and noise (T, 4, h, w)."""
    import moving
    import numpy as np

    width, height = (int(part) for part in canvas.split("x"))
    plates, masks = moving.clip(frames, height, width)
    plate = torch.from_numpy(np.stack(plates)).permute(0, 3, 1, 2)
    mask = torch.from_numpy(np.stack(masks))[:, None]
    generator = torch.Generator("cpu").manual_seed(42)
    noise = torch.randn((frames, 4, height // 8, width // 8), generator=generator)
    save_file({"plate": (2 * plate - 1).contiguous(), "mask": 2 * mask - 1, "noise": noise}, path)


def fold_side(asked: argparse.Namespace) -> None:
    """Make the folded file, so that neither its time nor its memory counts."""
    from videomama_server.engines.runtime import device as devices
    from videomama_server.engines.videomama.checkpoint import layouts, weights

    started = time.perf_counter()
    weights.folded(layouts.find(asked.checkpoint), asked.folded, devices.choose(asked.device, asked.dtype).storage)
    print(json.dumps({"seconds": time.perf_counter() - started}))


CHILD_FLAGS = (
    *("side", "checkpoint", "folded", "inputs", "out", "device", "dtype", "arithmetic"),
    *("group", "rounds", "canvas", "threads"),
)


def parsed() -> argparse.Namespace:
    """Return what was asked for, nothing left open."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--canvas", default="256x192", help="WIDTHxHEIGHT, multiples of 64")
    parser.add_argument("--frames", type=int, default=4)
    parser.add_argument("--checkpoint", type=Path, help="made for the run unless given")
    parser.add_argument("--kind", choices=("full", "tiny"), default="full", help="of the checkpoint that is made")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype", default="auto", help="of ours; auto is what the engine chooses")
    parser.add_argument("--group", type=int, default=8, help="frames decoded together, on both sides; 8 is published")
    parser.add_argument("--threads", type=int, default=1, help="of --interleaved; with one, waiting takes no time")
    parser.add_argument("--interleaved", action="store_true", help="all sides in one process, by processor time")
    parser.add_argument("--end-to-end", action="store_true", help="from EXR to EXR through a server, alone")
    parser.add_argument("--rounds", type=int, help="the fastest counts")
    parser.add_argument(
        "--with-bf16", action="store_true", help="also 64x64, 1 frame, straight in bf16 whatever it takes"
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--side", choices=(*SIDES, "fold", "interleaved"), help=argparse.SUPPRESS)
    for name in ("--folded", "--inputs", "--out"):
        parser.add_argument(name, type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--arithmetic", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.device == "auto":
        asked.device = "cuda:0" if torch.cuda.is_available() else "cpu"
    on_card = asked.device != "cpu"
    asked.rounds = asked.rounds or (4 if on_card else 2)
    asked.arithmetic = asked.arithmetic or straight_arithmetic(asked.device, asked.dtype)
    asked.colour = False
    return asked


def straight_arithmetic(device: str, dtype: str) -> str:
    """Return the format that the straight side calculates in: the same as ours."""
    if device != "cpu":
        return "fp16" if dtype == "auto" else dtype
    fast = any(getattr(torch.cpu, name, bool)() for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"))
    return "bf16" if fast and dtype in ("auto", "bf16") else "fp32"


def explained(asked: argparse.Namespace) -> str:
    """Say what the straight side calculates in, and why."""
    if asked.device == "cpu" and asked.arithmetic == "fp32" and asked.dtype != "fp32":
        return (
            "fp32 from the same stored weights: this processor has no bf16 arithmetic and emulates it hundreds of times"
            " slower, so this favours the straight side in time; in memory its weights are twice as large"
        )
    return asked.arithmetic


def main() -> None:
    """Measure and print."""
    asked = parsed()
    if asked.side == "fold":
        fold_side(asked)
        return
    if asked.side == "interleaved":
        interleaved(asked)
        return
    if asked.side:
        one_side(asked)
        return
    if asked.end_to_end:
        tiny = asked.kind == "tiny"
        print(json.dumps(end_to_end(asked.device, (1920, 1080), frames=asked.frames, tiny=tiny)))
        return
    with tempfile.TemporaryDirectory(prefix="videomama-bench-") as name:
        folder = Path(name)
        asked.folded = folder / "folded"
        if asked.checkpoint is None:
            import make_checkpoint

            asked.checkpoint = folder / "checkpoint"
            make_checkpoint.make(asked.kind, asked.checkpoint)
        report = (in_turn if asked.interleaved else compare)(asked, folder)
        if asked.with_bf16:
            asked.canvas, asked.frames, asked.rounds, asked.arithmetic = "64x64", 1, 1, "bf16"
            report["bf16_small"] = compare(asked, folder)
    card = torch.cuda.get_device_name(asked.device) if asked.device != "cpu" else platform.processor() or "cpu"
    report |= {name: getattr(asked, name) for name in ("canvas", "frames", "group", "rounds", "kind")}
    report |= {"straight_arithmetic": explained(asked), "device": card, "torch": torch.__version__}
    print(json.dumps(report) if asked.json else json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
