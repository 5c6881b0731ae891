"""The engine's network beside the published inference with stock modules: same checkpoint, same inputs, one run.

python bench/videomama_speed.py --json
python bench/videomama_speed.py --json --canvas 1024x576 --frames 16 --device cuda

Each side runs in a fresh process of its own, one after the other, so that neither sees the other's memory.
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
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

SCALING = 0.18215
STAGES = ("encode_plate", "encode_mask", "unet", "decode")
NAMES = {torch.float32: "fp32", torch.float16: "fp16", torch.bfloat16: "bf16"}
DTYPES = {name: dtype for dtype, name in NAMES.items()}


class Meter:
    """Takes the time of stages and the peak of memory on one device."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.seconds: dict[str, float] = {}

    def time(self, stage: str, work: Callable[[], Tensor]) -> Tensor:
        """Do `work` and note its seconds."""
        self._wait()
        started = time.perf_counter()
        result = work()
        self._wait()
        self.seconds[stage] = time.perf_counter() - started
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
    from videomama_server.engines.videomama.checkpoint import layouts, weights
    from videomama_server.engines.videomama.memory import device as devices

    chosen = devices.choose(asked.device, asked.dtype)
    network = weights.load(weights.folded(layouts.find(asked.checkpoint), asked.folded, chosen.storage))
    network = network.to(chosen.device)
    passes = asked.passes or None

    def per_pass(work: Callable[[Tensor], Tensor], pictures: Tensor) -> Tensor:
        return torch.cat([work(part) for part in pictures.split(passes or len(pictures))])

    def run(meter: Meter, given: dict[str, Tensor]) -> Tensor:
        plate, mask, noise = (given[n].to(chosen.device, chosen.arithmetic) for n in ("plate", "mask", "noise"))
        c = meter.time("encode_plate", lambda: per_pass(network.encoder.plate, plate)[:, :4])
        k = meter.time("encode_mask", lambda: per_pass(network.encoder.mask, mask)[:, :4])
        at_once = passes if chosen.device.type == "cuda" else None  # as the planner has it
        z = meter.time("unet", lambda: network.unet(torch.cat((noise, c, k), dim=1), at_once))
        groups = (z / SCALING).split(asked.group)
        if asked.colour:  # what is published takes the mean after it has clamped each channel
            return torch.cat([(network.decoder.rgb(g, passes) / 2 + 0.5).clamp(0, 1).mean(dim=1) for g in groups])
        grey = meter.time("decode", lambda: torch.cat([network.decoder.grey(g, passes) for g in groups]))
        return (grey[:, 0] / 2 + 0.5).clamp(0, 1)

    return run, chosen.arithmetic, sum(tensor.nbytes for tensor in network.state_dict().values())


def one_side(asked: argparse.Namespace) -> None:
    """Run one side `rounds` times, print its figures and write its alphas; the fastest round of each stage counts."""
    meter = Meter(torch.device(asked.device))
    started = time.perf_counter()
    run, arithmetic, held = (straight_side if asked.side == "straight" else our_side)(asked)
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
    files = {side: folder / f"{side}.safetensors" for side in ("straight", "ours")}
    child(asked, "fold")
    sides = {side: child(asked, side, out=out) for side, out in files.items()}
    theirs, ours = sides["straight"], sides["ours"]
    expected, found = load_file(files["straight"])["alphas"], load_file(files["ours"])
    upcast = theirs["weights_mb"] / 2 if theirs["arithmetic"] == "fp32" and asked.dtype != "fp32" else 0
    return {
        "speedup": round(theirs["total_seconds"] / ours["total_seconds"], 3),
        "peak_memory_ratio": round(ours["peak_mb"] / theirs["peak_mb"], 3),
        "peak_memory_ratio_if_straight_held_half_the_bytes": round(ours["peak_mb"] / (theirs["peak_mb"] - upcast), 3),
        "max_abs_diff": (found["colour"] - expected).abs().max().item(),
        "max_abs_diff_of_grey_decode": (found["alphas"] - expected).abs().max().item(),
        "alpha_mean": round(expected.mean().item(), 3),
        "alpha_std": round(expected.std().item(), 3),
        "stage_speedup": {s: round(theirs[f"{s}_seconds"] / ours[f"{s}_seconds"], 3) for s in STAGES},
        **sides,
    }


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
    from videomama_server.engines.videomama.checkpoint import layouts, weights
    from videomama_server.engines.videomama.memory import device as devices

    started = time.perf_counter()
    weights.folded(layouts.find(asked.checkpoint), asked.folded, devices.choose(asked.device, asked.dtype).storage)
    print(json.dumps({"seconds": time.perf_counter() - started}))


CHILD_FLAGS = (
    *("side", "checkpoint", "folded", "inputs", "out", "device", "dtype", "arithmetic"),
    *("group", "passes", "rounds"),
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
    parser.add_argument("--passes", type=int, help="frames that ours works on at once where it may choose; 0 is all")
    parser.add_argument("--rounds", type=int, help="the fastest counts")
    parser.add_argument(
        "--with-bf16", action="store_true", help="also 64x64, 1 frame, straight in bf16 whatever it takes"
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--side", choices=("straight", "ours", "fold"), help=argparse.SUPPRESS)
    for name in ("--folded", "--inputs", "--out"):
        parser.add_argument(name, type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--arithmetic", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.device == "auto":
        asked.device = "cuda:0" if torch.cuda.is_available() else "cpu"
    on_card = asked.device != "cpu"
    asked.passes = asked.passes if asked.passes is not None else (0 if on_card else 1)
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
    if asked.side:
        one_side(asked)
        return
    with tempfile.TemporaryDirectory(prefix="videomama-bench-") as name:
        folder = Path(name)
        asked.folded = folder / "folded"
        if asked.checkpoint is None:
            import make_checkpoint

            asked.checkpoint = folder / "checkpoint"
            make_checkpoint.make(asked.kind, asked.checkpoint)
        report = compare(asked, folder)
        if asked.with_bf16:
            asked.canvas, asked.frames, asked.rounds, asked.arithmetic = "64x64", 1, 1, "bf16"
            report["bf16_small"] = compare(asked, folder)
    card = torch.cuda.get_device_name(asked.device) if asked.device != "cpu" else platform.processor() or "cpu"
    report |= {name: getattr(asked, name) for name in ("canvas", "frames", "group", "passes", "rounds", "kind")}
    report |= {"straight_arithmetic": explained(asked), "device": card, "torch": torch.__version__}
    print(json.dumps(report) if asked.json else json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
