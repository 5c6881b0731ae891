"""The stages of gpu_check.py, each a function that returns figures; run as a script, one of them in this process."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path += [str(ROOT / "server"), str(ROOT / "nuke_plugin"), str(ROOT / "bench")]

import torch  # noqa: E402
from torch import Tensor  # noqa: E402
from torch.nn import functional  # noqa: E402
from torch.nn.attention import SDPBackend, sdpa_kernel  # noqa: E402
from videomama_server.engines.videomama.checkpoint.published import PUBLISHED_UNET, PUBLISHED_VAE  # noqa: E402
from videomama_server.engines.videomama.network import attention, fused  # noqa: E402
from videomama_server.engines.videomama.network.graph import CudaRecorder, Replayed  # noqa: E402
from videomama_server.engines.videomama.network.network import Network  # noqa: E402
from videomama_server.engines.videomama.network.shape import NetworkShape, shape_of  # noqa: E402

TINY = NetworkShape(
    (32, 64, 64, 64), (2,) * 4, (1, 2, 2, 2), (True, True, True, False), (False, True, True, True),
    12, 4, (32, 64, 64, 64), 2, 4,
)  # fmt: skip
REACH = 4


class Skipped(Exception):
    """A stage cannot run here; says why."""


@dataclass(frozen=True)
class Bench:
    """Where and how large a stage runs."""

    device: torch.device
    tiny: bool

    @property
    def card(self) -> bool:
        """Whether it is a card of CUDA's."""
        return self.device.type == "cuda"

    @property
    def dtype(self) -> torch.dtype:
        """What the engine computes in there."""
        return torch.float16 if self.card else torch.float32

    @property
    def shape(self) -> NetworkShape:
        """The network's sizes."""
        return TINY if self.tiny else shape_of(PUBLISHED_UNET, PUBLISHED_VAE)

    @property
    def canvas(self) -> tuple[int, int]:
        """Height and width."""
        return (64, 64) if self.tiny else (576, 1024)

    @property
    def frames(self) -> int:
        """Frames of a window."""
        return 2 if self.tiny else 16

    def noise(self, *size: int, dtype: torch.dtype | None = None) -> Tensor:
        """Return normal noise on the device."""
        return torch.randn(size, device=self.device).to(dtype or self.dtype)

    def network(self, dtype: torch.dtype | None = None) -> Network:
        """Return a network of random weights that keep signals in their size."""
        torch.manual_seed(0)
        with torch.device("meta"):
            network = Network(self.shape).to(dtype or self.dtype)
        network = network.to_empty(device=self.device).requires_grad_(False).eval()
        for name, weight in network.named_parameters():
            normed = "norm" in name and name.endswith("weight")
            weight.fill_(1.0) if normed else weight.normal_(0, (weight[0].numel() if weight.ndim > 1 else 400) ** -0.5)
        return network

    def calls(self, network: Network, passes: int | None = None) -> dict[str, Callable[[], Tensor]]:
        """Return what production runs for a window, by part."""
        dtype, (height, width) = network.weights_dtype, self.canvas
        plate, mask, unet, decode = (
            self.noise(self.frames, channels, height // by, width // by, dtype=dtype)
            for channels, by in ((3, 1), (1, 1), (12, 8), (4, 8))
        )

        def encoded(encode: Callable[[Tensor], Tensor], pictures: Tensor) -> Tensor:
            return torch.cat([encode(part) for part in pictures.split(passes or len(pictures))])

        return {
            "encode_plate": lambda: encoded(network.encoder.plate, plate),
            "encode_mask": lambda: encoded(network.encoder.mask, mask),
            "unet": lambda: network.unet(unet, passes),
            "decode": lambda: network.decoder.grey(decode, passes, REACH),
        }

    def wait(self) -> None:
        """Wait until the device has done all."""
        if self.card:
            torch.cuda.synchronize(self.device)

    def ms(self, call: Callable[[], Any], rounds: int = 3) -> float:
        """Return the least milliseconds of some rounds, after one that does not count."""
        call()
        found = []
        for _ in range(1 if self.tiny else rounds):
            self.wait()
            started = time.perf_counter()
            call()
            self.wait()
            found.append(time.perf_counter() - started)
        return round(1e3 * min(found), 3)

    def launch_ms(self, call: Callable[[], Any]) -> float:
        """Return the milliseconds until all is queued, on a device that was idle."""
        self.wait()
        started = time.perf_counter()
        call()
        return round(1e3 * (time.perf_counter() - started), 3)

    def needs_card(self, what: str) -> None:
        """Skip a stage that says nothing without a card."""
        if not self.card:
            raise Skipped(f"{what} needs a card, and this runs on {self.device}")


def apart(one: Tensor, other: Tensor) -> dict[str, float]:
    """Return how far two results are apart, in standard deviations of the second."""
    difference, scale = (one.float() - other.float()).abs(), other.float().std().item()
    return {"largest": round(difference.max().item() / scale, 6), "mean": round(difference.mean().item() / scale, 6)}


def machine(bench: Bench) -> dict[str, Any]:
    """Return what there is."""
    fused.kernels.choose("auto", bench.device)
    found = {"torch": torch.__version__, "device": str(bench.device), "kernels": fused.kernels.name}
    if bench.card:
        properties = torch.cuda.get_device_properties(bench.device)
        found |= {
            "name": properties.name,
            "gb": round(properties.total_memory / 1e9, 1),
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),
        }
    return found


def norms(bench: Bench) -> dict[str, Any]:
    """Time the largest norm by both kinds of kernels, and see whether they agree and repeat."""
    channels, (height, width) = bench.shape.vae_channels[0], bench.canvas
    x, weight = bench.noise(bench.frames, height * width, channels), bench.noise(channels)

    def step() -> Tensor:
        lines = fused.norm_lines(fused.channel_moments(x), x.shape[1], weight, weight, 1e-6, 0)
        return fused.apply_lines(x, lines, torch.empty_like(x), silu=True)

    found: dict[str, Any] = {}
    fused.kernels.choose("off", bench.device)
    by_torch = step()
    found["torch_ms"] = bench.ms(step)
    picture = x.view(bench.frames, height, width, channels).permute(0, 3, 1, 2)
    found["stock_ms"] = bench.ms(lambda: functional.silu(functional.group_norm(picture, 32, weight, weight)))
    fused.kernels.choose("auto", bench.device)
    if fused.kernels.name == fused.TRITON:
        found |= {"triton_ms": bench.ms(step), "apart": apart(step(), by_torch)}
    found["repeats"] = torch.equal(step(), step())
    alone = fused.channel_moments(x[1:2])
    found["same_whatever_frames_are_beside_it"] = torch.equal(fused.channel_moments(x)[1:2], alone)
    found["gb_moved_at_least"] = round(3 * x.nbytes / 1e9, 3)
    return found


def time_convolution(bench: Bench) -> dict[str, Any]:
    """Time the largest convolution over time, as one and as the three products that it was before."""
    layer = bench.network().decoder.up_blocks[-1].resnets[-1].temporal_res_block.conv1
    channels, (height, width) = bench.shape.vae_channels[0], bench.canvas
    x = bench.noise(bench.frames, height * width, channels)

    def products() -> Tensor:
        before, same, after = layer.weight.permute(1, 2, 0)
        result = torch.matmul(x, same) + layer.bias
        result[1:] += torch.matmul(x[:-1], before)
        result[:-1] += torch.matmul(x[1:], after)
        return result

    return {"one_ms": bench.ms(lambda: layer(x)), "three_ms": bench.ms(products), "apart": apart(layer(x), products())}


def attention_kernels(bench: Bench) -> dict[str, Any]:
    """Time each kernel that could attend, for the three kinds of attention."""
    height, width = (side // 8 for side in bench.canvas)
    cases = {
        "vae": (2, height * width, 1, bench.shape.vae_channels[-1]),
        "unet_pixels": (bench.frames, height * width, bench.shape.heads[0], 64),
        "unet_frames": (min(height * width, 8192), bench.frames, bench.shape.heads[0], 64),
    }
    kinds = {
        "flash": SDPBackend.FLASH_ATTENTION,
        "efficient": SDPBackend.EFFICIENT_ATTENTION,
        "cudnn": SDPBackend.CUDNN_ATTENTION,
        "math": SDPBackend.MATH,
    }
    found: dict[str, Any] = {}
    for case, (count, tokens, heads, wide) in cases.items():
        qkv = bench.noise(count, tokens, 3, heads, wide).permute(2, 0, 3, 1, 4)
        for name, kind in kinds.items():
            if name == "math" and not bench.tiny:
                continue  # holds all scores
            found[f"{case} {name}"] = _time_of_kernel(bench, kind, qkv)
        found[f"{case} products"] = bench.ms(lambda qkv=qkv: attention._by_products(*qkv))
        found[f"{case} as in production"] = bench.ms(lambda qkv=qkv: attention._attended(qkv.permute(1, 3, 0, 2, 4)))
    return found


def _time_of_kernel(bench: Bench, kind: SDPBackend, qkv: Tensor) -> float | str:
    def call() -> Tensor:
        with sdpa_kernel([kind]):
            return functional.scaled_dot_product_attention(*qkv)

    try:
        return bench.ms(call)
    except RuntimeError as error:
        return f"refused: {str(error).splitlines()[0][:80]}"


def formats(bench: Bench) -> dict[str, Any]:
    """Compare the half formats with float32, part by part, on a small window."""
    small = Bench(bench.device, bench.tiny) if bench.tiny else _Smaller(bench.device, tiny=False)
    wide = small.network(torch.float32)
    torch.manual_seed(1)
    expected = {part: call() for part, call in small.calls(wide).items()}
    found: dict[str, Any] = {}
    for dtype in (torch.float16, torch.bfloat16):
        network = small.network(torch.float32).to(dtype)
        torch.manual_seed(1)
        calls = small.calls(network)
        for part, call in calls.items():
            found[f"{part} {str(dtype).removeprefix('torch.')}"] = apart(call(), expected[part])
    return found


class _Smaller(Bench):
    @property
    def canvas(self) -> tuple[int, int]:
        return 256, 384

    @property
    def frames(self) -> int:
        return 4


def parts(bench: Bench) -> dict[str, Any]:
    """Time each part, and compare its real peak of memory with the planned one."""
    fused.kernels.choose("auto", bench.device)
    network = bench.network()
    found: dict[str, Any] = {}
    for passes in (None, 4) if not bench.tiny else (None,):
        for part, call in bench.calls(network, passes).items():
            at = f"{part} {'all' if passes is None else passes}"
            found[at] = {"ms": bench.ms(call), "launch_ms": bench.launch_ms(call)}
            if bench.card:
                found[at] |= _peaks(bench, part, call, passes)
    whole = [found[f"{part} all"]["ms"] for part in ("encode_plate", "encode_mask", "unet", "decode")]
    return {
        **found,
        "window_ms": round(sum(whole), 1),
        "per_new_frame_ms": round(sum(whole) / (0.75 * bench.frames), 2),
    }


def _peaks(bench: Bench, part: str, call: Callable[[], Tensor], passes: int | None) -> dict[str, Any]:
    torch.cuda.reset_peak_memory_stats(bench.device)
    before = torch.cuda.memory_allocated(bench.device)
    call()
    bench.wait()
    found: dict[str, Any] = {"peak_gb": round((torch.cuda.max_memory_allocated(bench.device) - before) / 1e9, 3)}
    try:
        from videomama_server.engines.runtime.device import Device
        from videomama_server.engines.videomama.memory import planner
    except ModuleNotFoundError as error:
        return {**found, "planned_gb": f"skipped: needs {error.name}"}
    workload = planner.Workload(bench.shape, Device(bench.device, bench.dtype, bench.dtype), bench.frames, bench.frames)
    name = {"encode_plate": "encoder", "encode_mask": "encoder", "unet": "unet", "decode": "decoder"}[part]
    planned = planner._peak(workload, bench.canvas, name, passes or bench.frames)
    return {**found, "planned_gb": round(planned / 1e9, 3)}


def graph(bench: Bench) -> dict[str, Any]:
    """Compare the UNet as it is launched and as it is replayed."""
    bench.needs_card("a graph")
    fused.kernels.choose("auto", bench.device)
    network, (height, width) = bench.network(), bench.canvas
    x, replayed = bench.noise(bench.frames, 12, height // 8, width // 8), Replayed(CudaRecorder())

    def launched() -> Tensor:
        return network.unet(x)

    def replay() -> Tensor:
        return replayed(network.unet, x, None, room=True)

    found = {"launched_ms": bench.ms(launched)}
    expected = launched()
    replay(), replay()
    return {**found, "replayed_ms": bench.ms(replay), "same_bits": torch.equal(replay(), expected)}


def offload(bench: Bench) -> dict[str, Any]:
    """Compare blocks that are brought one by one with blocks that are brought ahead."""
    from videomama_server.engines.videomama.memory.offload import Placement, PlainCopies

    network, (height, width) = bench.network().to("cpu"), bench.canvas
    x = bench.noise(bench.frames, 12, height // 8, width // 8)
    found: dict[str, Any] = {}
    results = []
    for name, copies in (("one by one", PlainCopies(bench.device)), ("ahead", None)):
        placement = Placement(network, bench.device, "blocks", copies)
        with placement.using("unet"):
            found[f"{name} ms"] = bench.ms(lambda: network.unet(x), 2)
            results.append(network.unet(x))
        placement.release()
    return {**found, "same_bits": torch.equal(*results)}


def weights_in_8_bits(bench: Bench) -> dict[str, Any]:
    """Say what rounding the UNet's weights to 8 bits, by row, does to its result, and how few bytes they would be."""
    found: dict[str, Any] = {}
    (height, width), expected = bench.canvas, None
    for name in ("as they are", "int8", "fp8"):
        network = bench.network()
        torch.manual_seed(1)
        x = bench.noise(min(4, bench.frames), 12, height // 8, width // 8)
        for weight in network.unet.parameters():
            if name != "as they are" and weight.ndim > 1:
                weight.copy_(_rounded(weight, name))
        result = network.unet(x)
        expected = result if expected is None else expected
        found[name] = {"apart": apart(result, expected)}
        wide = 1 if name != "as they are" else bench.dtype.itemsize
        found[name]["gb"] = round(sum(w.numel() * wide for w in network.unet.parameters()) / 1e9, 3)
    return found


def _rounded(weight: Tensor, name: str) -> Tensor:
    """Return weights that 8 bits and a scale per row can hold."""
    rows = weight.float().flatten(1)
    largest = 127.0 if name == "int8" else 448.0
    scale = rows.abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / largest
    held = (rows / scale).round() if name == "int8" else (rows / scale).to(torch.float8_e4m3fn).float()
    return (held * scale).view(weight.shape).to(weight.dtype)


def out_of_memory(bench: Bench) -> dict[str, Any]:
    """Run out of memory inside and outside torch's allocator, and see whether it is told apart and survived."""
    from videomama_server.engines.runtime.device import is_out_of_memory

    found: dict[str, Any] = {}
    try:
        torch.empty(1 << 46, device=bench.device, dtype=torch.uint8)
    except RuntimeError as error:
        found["inside"] = {"error": f"{type(error).__name__}: {str(error)[:120]}", "known": is_out_of_memory(error)}
    if bench.card:
        found["outside"] = _outside(bench, is_out_of_memory)
    found["works afterwards"] = bool((bench.noise(64, 64) @ bench.noise(64, 64)).isfinite().all())
    return found


def _outside(bench: Bench, known: Callable[[Exception], bool]) -> dict[str, Any]:
    """Take the card's memory from the driver until a new handle of cuBLAS cannot be made."""
    import ctypes

    bench.noise(1)
    library = ctypes.CDLL(f"libcudart.so.{str(torch.version.cuda).split('.')[0]}")
    held, size = [], 1 << 32
    while size >= 1 << 20:
        pointer = ctypes.c_void_p()
        if library.cudaMalloc(ctypes.byref(pointer), ctypes.c_size_t(size)):
            library.cudaGetLastError()
            size //= 2
        else:
            held.append(pointer)
    try:
        bench.wait()
        (bench.noise(2048, 2048) @ bench.noise(2048, 2048)).sum().item()
        return {"error": "none"}
    except RuntimeError as error:
        return {"error": f"{type(error).__name__}: {str(error)[:120]}", "known": known(error)}
    finally:
        for pointer in held:
            library.cudaFree(pointer)


def lost_context(bench: Bench) -> dict[str, Any]:
    """Make a kernel fail, and see that it is not taken for memory that ran out."""
    bench.needs_card("a lost context")
    from videomama_server.engines.runtime.device import is_out_of_memory

    try:
        torch.zeros(4, device=bench.device)[torch.tensor([1 << 20], device=bench.device)].sum().item()
    except RuntimeError as error:
        accelerator = isinstance(error, torch.AcceleratorError)
        return {
            "error": str(error)[:120],
            "of the accelerator": accelerator,
            "taken for memory": is_out_of_memory(error),
        }
    return {"error": "none"}


def pictures(bench: Bench) -> dict[str, Any]:
    """Compare colour, placing, guide and lifting on the device with the host's, from plate to alpha, and time both."""
    from videomama_server.media.color import LINEAR

    regions = {"tiny": (109, 193)} if bench.tiny else {"hd": (1080, 1920), "uhd": (2160, 3840)}
    spaces = {"curve": LINEAR, "matrix": "ACEScg", "log": "Cineon", "by OpenColorIO": "ARRI LogC3 (EI800)"}
    found: dict[str, Any] = {
        f"{name}, {kind}": _picture(bench, region, space)
        for name, region in regions.items()
        for kind, space in spaces.items()
    }
    apart = max(max(one["placed_apart"], one["lifted_apart"]) for one in found.values())
    return {**found, "agrees": apart <= 1e-3 and all(one["repeats"] for one in found.values())}


def _picture(bench: Bench, region: tuple[int, int], space: str) -> dict[str, Any]:
    """Return how far the device is from the host for a plate of a colour space, and what both take."""
    import numpy as np
    from videomama_server.engines.videomama import on_device
    from videomama_server.engines.videomama.canvas import Canvas
    from videomama_server.engines.videomama.lift import Guide
    from videomama_server.media.color import display_transform

    canvas = Canvas(region, (64, 128) if bench.tiny else (1088, 1856))
    transform = display_transform(space, 0.0)
    y, x = np.mgrid[: region[0], : region[1]].astype(np.float32)
    waves = np.stack([np.sin(y / (37 - 3 * c)) * np.cos(x / (23 + 5 * c)) for c in range(3)], axis=-1)
    plate = (0.5 + 0.4 * waves).astype(np.float16).astype(np.float32)

    def placed() -> Any:
        pixels = plate if transform.lookup is not None else transform(plate.copy())
        return on_device.placed(on_device.HostPlate.of(pixels, transform.lookup), canvas, bench.device)

    def on_host() -> Any:
        shown = transform(plate.copy())
        small = canvas.reduced(shown)
        return canvas.placed(small) * 2 - 1, Guide.of(shown, small)

    (laid, guide), (host, host_guide) = placed(), on_host()
    alpha = (host.mean(dim=0) + 1) / 2
    there, here = alpha.to(bench.device), alpha.numpy()
    if bench.card:
        torch.cuda.reset_peak_memory_stats(bench.device)
    before = torch.cuda.memory_allocated(bench.device) if bench.card else 0
    lifted = on_device.lifted(there, canvas, guide)
    peak = torch.cuda.max_memory_allocated(bench.device) - before if bench.card else 0
    return {
        "placed_apart": (laid.cpu() - host).abs().max().item(),
        "lifted_apart": float(np.abs(lifted.cpu().numpy() - canvas.lift(here, host_guide)).max()),
        "repeats": torch.equal(laid, placed()[0]) and torch.equal(lifted, on_device.lifted(there, canvas, guide)),
        "place_ms": bench.ms(placed),
        "lift_ms": bench.ms(lambda: on_device.lifted(there, canvas, guide).cpu()),
        "host_place_ms": bench.ms(on_host, 1),
        "host_lift_ms": bench.ms(lambda: canvas.lift(here, host_guide), 1),
        "peak_mb": round(peak / 1e6, 1),  # 0 without a card
        "counted_mb": round(on_device.working_bytes(region, canvas.size) / 1e6, 1),
    }


class _Uhd(Bench):
    @property
    def canvas(self) -> tuple[int, int]:
        return (64, 128) if self.tiny else (2176, 3840)

    @property
    def frames(self) -> int:
        return 2 if self.tiny else 4


def uhd_canvas(bench: Bench) -> dict[str, Any]:
    """Run each part on a canvas whose pixels are more than a grid of CUDA's has places."""
    large = _Uhd(bench.device, bench.tiny)
    fused.kernels.choose("auto", bench.device)
    found: dict[str, Any] = {"canvas": "x".join(map(str, reversed(large.canvas))), "frames": large.frames}
    for part, call in large.calls(large.network(), 1).items():
        started = time.perf_counter()
        finite = bool(call().isfinite().all())
        found[part] = {"finite": finite, "seconds": round(time.perf_counter() - started, 3)}
    if bench.card:
        found["peak_gb"] = round(torch.cuda.max_memory_allocated(bench.device) / 1e9, 2)
    return found


def stock(bench: Bench) -> dict[str, Any]:
    """Time the published network as diffusers builds it, as it is and with channels last, beside ours."""
    import operations

    found: dict[str, Any] = {}
    for name in ("stock", "stock channels last"):
        calls = operations.stock_modules(bench.device, bench.dtype, tiny=bench.tiny, last="last" in name)
        made = calls(bench.frames, bench.canvas)
        found[name] = {part: bench.ms(call, 2) for part, call in made.items()}
        del calls, made
    fused.kernels.choose("auto", bench.device)
    found["ours"] = {part: bench.ms(call, 2) for part, call in bench.calls(bench.network()).items()}
    return {**found, "speedup": {part: round(found["stock"][part] / ms, 3) for part, ms in found["ours"].items()}}


def overlap(bench: Bench) -> dict[str, Any]:
    """Take frames from EXR to EXR through a server, beside what the network alone takes for them."""
    import videomama_speed

    size = (128, 64) if bench.tiny else (1920, 1080)
    return videomama_speed.end_to_end(str(bench.device), size, frames=4 if bench.tiny else 64, tiny=bench.tiny)


ALL = {**globals(), "attention": attention_kernels}


def device_of(name: str) -> torch.device:
    """Return the device of a name; auto is the first card, else the CPU."""
    if name == "auto":
        name = "cuda:0" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def found_by(stage: str, device: str, *, tiny: bool) -> dict[str, Any]:
    """Return what a stage found, or why it cannot run here."""
    bench = Bench(device_of(device), tiny)
    torch.backends.cudnn.allow_tf32 = False
    if tiny:
        torch.set_num_threads(1)  # threads would wait for each other longer than they work
    try:
        with torch.inference_mode():
            return ALL[stage](bench)
    except Skipped as reason:
        return {"skipped": str(reason)}
    except ModuleNotFoundError as error:
        return {"skipped": f"the package {error.name} is not installed"}


def main() -> None:
    """Run one stage and print what it found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--tiny", action="store_true")
    asked = parser.parse_args()
    print(json.dumps(found_by(asked.stage, asked.device, tiny=asked.tiny)))


if __name__ == "__main__":
    main()
