"""Damaged frames through a job: it ends with an error that names the frame, and the server goes on."""

import os
import struct

import numpy as np
import OpenImageIO as oiio
import pytest
from videomama_client.errors import BadInput, NotPermitted

SCANS = 40_000


@pytest.fixture
def endless_jpeg(tmp_path):
    """A JPEG of half a megabyte that takes a minute to decode: one pass over 16 megapixels for each of its scans."""
    path = tmp_path / "small.jpg"
    spec = oiio.ImageSpec(64, 48, 3, "uint8")
    spec.attribute("jpeg:progressive", 1)
    output = oiio.ImageOutput.create(str(path))
    assert output.open(str(path), spec)
    assert output.write_image(np.zeros((48, 64, 3), np.uint8))
    assert output.close()
    content = bytearray(path.read_bytes())
    frame, last = content.find(b"\xff\xc2"), content.rfind(b"\xff\xda")
    struct.pack_into(">HH", content, frame + 5, 4096, 4096)
    (length,) = struct.unpack_from(">H", content, last + 2)
    scan = bytes(content[last : last + 2 + length]) + b"\0"
    return bytes(content[:-2]) + scan * SCANS + b"\xff\xd9"


def test_a_frame_that_is_decoded_without_end_fails_its_job_and_no_other(start_server, make_clip, endless_jpeg):
    server, clip = start_server("--read-limit-s", "2", "--threads", "1"), make_clip(count=2)
    for frame in clip.numbers:
        (clip.folder / f"slow.{frame}.jpg").write_bytes(endless_jpeg)
    with pytest.raises(BadInput, match=r"plate frame 1001 .*slow\.1001\.jpg.* was not read within 2 s"):
        server.refine(clip, plate=str(clip.folder / "slow.####.jpg"))
    assert server.refine(make_clip(count=2)).done.frame_count == 2
    assert server.status().worker_restarts == 1


@pytest.mark.parametrize("role", ["plate", "mask"])
def test_bombs_among_the_frames_are_named(server, make_clip, role):
    head = b"dataWindow\0box2i\0" + struct.pack("<i", 16)
    for corner in (2**16, 2**20, 2**31 - 1):
        clip = make_clip(count=2)
        path = clip.file(role, 1002)
        content = path.read_bytes()
        path.write_bytes(
            content.replace(
                head + content[content.find(head) + len(head) :][:16], head + struct.pack("<4i", 0, 0, corner, corner)
            )
        )
        with pytest.raises(BadInput, match=f"{role} frame 1002"):
            server.refine(clip)


@pytest.mark.parametrize("target", ["/dev/zero", "/dev/stdin", "/proc/self/mem", "/proc/kmsg", "/proc/self/environ"])
def test_devices_and_files_of_the_system_under_a_frames_name_are_refused(server, make_clip, target):
    clip = make_clip(count=2)
    clip.file("plate", 1002).unlink()
    clip.file("plate", 1002).symlink_to(target)
    with pytest.raises(NotPermitted, match=r"1002.*the system's own files"):
        server.refine(clip)


def test_an_endless_sparse_file_is_refused_by_its_size(server, make_clip):
    clip = make_clip(count=2)
    os.truncate(clip.file("plate", 1002), 1 << 40)
    with pytest.raises(BadInput, match=r"plate frame 1002: .*bytes"):
        server.refine(clip)
