import json
import math
import os
import shutil
import uuid
from urllib.parse import parse_qs, unquote

import pytest
from videomama_client.messages import SubmitMatte
from videomama_client.settings import MatteSettings
from videomama_server.web.any_names import Json, header_of, part_of, query_of, urlencoded
from videomama_server.web.picture_routes import MESSAGE

CAFE = os.fsdecode(b"caf\xe9")


@pytest.fixture
def cafe(home_clip, home):
    """A clip in a folder whose name is not UTF-8, beside one whose own name is not."""
    shot = home_clip()
    folder = home / CAFE
    shot.rename(folder)
    for path in sorted(folder.glob("plate.*.exr")):
        shutil.copy(path, home / path.name.replace("plate", CAFE))
    return folder


def test_a_byte_that_is_no_text_is_shown_in_an_address():
    assert parse_qs(query_of({"plate": f"/{CAFE}/é b.exr", "frame": 7}), errors="strict") == {
        "plate": ["/caf\\udce9/é b.exr"],
        "frame": ["7"],
    }
    assert part_of(f"{CAFE}/&") == "caf%5Cudce9%2F%26"
    assert urlencoded({"a": CAFE}) == "a=caf%5Cudce9"
    assert urlencoded(CAFE) == "caf%5Cudce9"


def test_a_header_is_text_that_scripts_can_decode():
    assert unquote(header_of(f"é {CAFE}"), errors="strict") == "é caf\\udce9"


def test_json_holds_every_name_and_no_number_that_is_none():
    assert json.loads(Json({"name": CAFE}).body) == {"name": CAFE}
    with pytest.raises(ValueError, match="not JSON compliant"):
        Json([math.nan])


def test_a_folder_with_such_names_is_browsed(page, cafe, home):
    shown = page.get("/browse", params={"folder": str(home)})
    assert shown.status_code == 200
    assert "caf\\udce9/" in shown.text
    assert "caf\\udce9.####.exr" in shown.text


@pytest.mark.parametrize("address", ["/jobs", "/jobs/history", "/jobs/{job}", "/judge?job={job}"])
def test_a_job_of_such_names_is_shown(served, enter, cafe, address, wait_for_end):
    names = {role: str(cafe / f"{role}.####.exr") for role in ("plate", "mask", "out")}
    with served.client() as client:
        job = client.submit(SubmitMatte(uuid.uuid4().hex, settings=MatteSettings(), **names))
    assert wait_for_end(job).state.state == "failed"
    answer = enter(served).get(address.format(job=job))
    assert answer.status_code == 200
    assert "caf\\udce9" in answer.text


def test_a_clip_beside_such_names_is_judged(page, cafe, home):
    """What is there instead of a file that is missing is told, such names among it."""
    listed = page.get("/judge/frames", params={"plate": f"{home}/none.####.exr"})
    assert CAFE in listed.json()["said"]["plate"]


def test_a_picture_that_is_missing_beside_such_names_is_drawn(page, cafe, home):
    answer = page.get("/pictures/plate", params={"plate": f"{home}/none.####.exr", "frame": 1})
    assert answer.status_code == 200
    assert "caf\\udce9" in unquote(answer.headers[MESSAGE])
