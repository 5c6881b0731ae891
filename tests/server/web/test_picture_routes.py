import asyncio
import threading
from urllib.parse import unquote

import cv2
import numpy as np
import pytest
from videomama_server.media.frames import read_plate, write_picture
from videomama_server.web import picture_routes
from videomama_server.web.picture_routes import MESSAGE, PictureDesk
from videomama_server.web.views import VIEWS


@pytest.fixture
def shot(home_clip):
    return home_clip()


@pytest.fixture
def named(shot):
    return {role: str(shot / f"{role}.####.exr") for role in ("plate", "mask")} | {"alpha": str(shot / "mask.####.exr")}


def test_a_plate_comes_as_a_picture_of_the_size_that_was_asked_for(page, named):
    answer = page.get("/pictures/plate", params={**named, "frame": 1001, "size": 48})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR).shape == (32, 48, 3)
    assert MESSAGE not in answer.headers


def test_every_view_has_an_address(page, named, shot):
    more = {"other": named["mask"], "ground": str(shot / "plate.1001.exr"), "frame": 1001, "size": 64}
    for view in VIEWS:
        answer = page.get(f"/pictures/{view}", params={**named, **more})
        assert answer.status_code == 200, view
        assert MESSAGE not in answer.headers, (view, unquote(answer.headers.get(MESSAGE, "")))


def test_an_unchanged_picture_is_not_sent_twice_and_a_changed_one_is(page, named, shot):
    asked = {**named, "frame": 1001, "size": 48}
    first = page.get("/pictures/plate", params=asked)
    same = page.get("/pictures/plate", params=asked, headers={"If-None-Match": first.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    (shot / "plate.1001.exr").write_bytes((shot / "plate.1002.exr").read_bytes())
    changed = page.get("/pictures/plate", params=asked, headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    assert changed.content != first.content


@pytest.mark.parametrize("content", [None, b"", b"\x76\x2f\x31\x01 a beginning"])
def test_a_frame_that_is_missing_or_broken_is_a_picture_that_says_so(page, named, shot, content):
    (shot / "plate.1002.exr").unlink()
    if content is not None:
        (shot / "plate.1002.exr").write_bytes(content)
    answer = page.get("/pictures/plate", params={**named, "frame": 1002, "size": 48})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert unquote(answer.headers[MESSAGE]).startswith("plate frame 1002: ")
    assert "etag" not in answer.headers


def test_what_lies_outside_is_not_shown(page, named, tmp_path, shot):
    outside = tmp_path / "outside"
    outside.mkdir()
    (shot / "plate.1001.exr").rename(outside / "plate.1001.exr")
    (shot / "plate.1001.exr").symlink_to(outside / "plate.1001.exr")
    for plate in (named["plate"], str(outside / "plate.####.exr"), f"{shot}/../../outside/plate.####.exr"):
        answer = page.get("/pictures/plate", params={"plate": plate, "frame": 1001, "size": 48})
        assert answer.headers["content-type"] == "image/svg+xml"
        assert "lies outside" in unquote(answer.headers[MESSAGE])
        assert page.get("/pixel", params={"plate": plate, "frame": 1001, "x": 0, "y": 0}).json() == {}


def test_a_sentence_fits_a_header_whatever_stands_in_a_name(page, shot):
    plate = str(shot / "plate\u00e9\u4e00<img onerror=alert(1)>.####.exr")
    answer = page.get("/pictures/plate", params={"plate": plate, "frame": 1, "size": 48})
    assert answer.status_code == 200
    assert b"<img" not in answer.content


def test_numbers_under_the_pointer_are_those_of_the_file(page, named, shot):
    found = page.get("/pixel", params={**named, "frame": 1001, "x": 5, "y": 7}).json()
    assert found["plate"] == [float(value) for value in read_plate(shot / "plate.1001.exr").pixels[7, 5]]
    assert found["mask"] == [0.0]


def test_numbers_that_json_cannot_hold_are_words(page, named, shot):
    plate = np.full((64, 96, 3), (np.nan, np.inf, 1.0), np.float32)
    write_picture(shot / "plate.1001.exr", plate, dtype="float")
    found = page.get("/pixel", params={**named, "frame": 1001, "x": 0, "y": 0}).json()
    assert found["plate"] == ["nan", "inf", 1.0]


def test_an_unknown_view_is_an_error_and_no_fault(page, named):
    assert page.get("/pictures/nothing", params={**named, "frame": 1001}).status_code == 422


def test_pictures_are_made_some_at_once_and_never_all(site, named, monkeypatch, enter):
    lock, at_once, most = threading.Lock(), [0], [0]

    def made(self, clip, wanted):
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        threading.Event().wait(0.02)
        with lock:
            at_once[0] -= 1
        return picture_routes.Encoded(b"x", "image/png")

    monkeypatch.setattr(picture_routes.Pictures, "encoded", made)
    client = enter(site)

    def ask(size):
        client.get("/pictures/plate", params={**named, "frame": 1001, "size": size})

    with client:
        threads = [threading.Thread(target=ask, args=(100 + number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert most[0] <= picture_routes._THREADS


def test_a_picture_that_nobody_waits_for_any_more_is_not_made(site):
    desk = PictureDesk(site)
    begun, end = threading.Event(), threading.Event()
    for _ in range(picture_routes._THREADS):
        desk._threads.submit(lambda: begun.set() or end.wait(60))
    assert begun.wait(60)
    made = []

    class Gone:
        async def is_disconnected(self):
            return True

    answer = asyncio.run(desk._in_turn(Gone(), lambda: made.append(1)))
    end.set()
    desk._threads.shutdown()
    assert (answer.status_code, made) == (204, [])
