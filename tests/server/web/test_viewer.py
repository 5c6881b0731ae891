"""The scripts of the Judge page and of clicking, in a real browser, on a real page."""

import re
from urllib.parse import urlencode

import numpy as np
import pytest
from page_browser import complaints, let_in, listening, opened, until
from videomama_server.media.frames import write_picture

SIZE = (200, 300)
COUNT = 12
FLAGGED = 1006
SHORT = 10.0


@pytest.fixture(scope="module")
def chrome(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def shot(home):
    """A plate whose red says the frame, with a mask, and alphas of all frames but the last two; one has a hole."""
    rng = np.random.default_rng(0)
    texture = rng.random(SIZE, np.float32)
    for at in range(COUNT):
        plate = np.stack([np.full(SIZE, at / COUNT, np.float32), texture, texture], axis=-1)
        mask = np.zeros(SIZE, np.float32)
        mask[40:160, 60:240] = 1
        alpha = mask.copy()
        if at + 1001 == FLAGGED:
            alpha[70:130, 100:180] = 0
        write_picture(home / f"plate.{1001 + at}.exr", plate)
        write_picture(home / f"mask.{1001 + at}.exr", mask, ("A",))
        if at < COUNT - 2:
            write_picture(home / f"alpha.{1001 + at}.exr", alpha, ("A",))
    return home


@pytest.fixture
def judge(chrome, site, shot):
    """Open the page of the clip: `judge("frame=1003")`; the console must have said nothing at the end."""
    with listening(site):
        let_in(chrome, site)

        def open_page(fragment="", **more):
            roles = {role: str(shot / f"{role}.####.exr") for role in ("plate", "mask", "alpha")}
            chrome.get("about:blank")
            chrome.get(f"{site.address}/judge?{urlencode({**roles, 'frames': '1001-1012', **more})}#{fragment}")
            until(lambda: chrome.find_element("id", "canvas").get_attribute("data-frame"), SHORT)
            return chrome

        yield open_page
        said = complaints(chrome)
        chrome.get("about:blank")  # the page would ask a server that is gone
        assert said == []


def press(chrome, *keys):
    from selenium.webdriver.common.action_chains import ActionChains

    for key in keys:
        ActionChains(chrome).send_keys(key).perform()


def shown(chrome):
    return int(chrome.find_element("id", "canvas").get_attribute("data-frame"))


def pixel(chrome, x, y):
    """Return the colour that the canvas shows at a share of its width and height."""
    script = """const [canvas, x, y] = [document.getElementById("canvas"), arguments[0], arguments[1]];
    const copy = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    copy.drawImage(canvas, -Math.floor(canvas.width * x), -Math.floor(canvas.height * y));
    return [...copy.getImageData(0, 0, 1, 1).data]"""
    return chrome.execute_script(script, x, y)


def test_frames_are_gone_through_by_keys_and_shown_when_they_are_there(judge):
    from selenium.webdriver.common.keys import Keys

    page = judge("frame=1003&a=plate&mode=single")
    assert shown(page) == 1003
    before = until(lambda: (colour := pixel(page, 0.5, 0.5))[3] and colour, SHORT)
    press(page, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    until(lambda: shown(page) == 1005 and pixel(page, 0.5, 0.5)[0] > before[0], SHORT)
    press(page, Keys.END)
    until(lambda: shown(page) == 1012, SHORT)
    press(page, Keys.HOME)
    until(lambda: shown(page) == 1001, SHORT)
    assert page.find_element("id", "timeline").get_attribute("aria-valuenow") == "1001"


def test_a_wipe_shows_one_view_on_each_side_and_difference_of_one_is_black(judge):
    page = judge("frame=1003&a=mask&b=alpha&mode=single")
    press(page, "6")  # over bright
    press(page, "w")
    until(lambda: max(pixel(page, 0.5, 0.5)[:3]) > 0, SHORT)
    left, right = until(lambda: (sides := (pixel(page, 0.3, 0.05), pixel(page, 0.7, 0.05)))[0][3] and sides, SHORT)
    assert min(left[:3]) > 200  # the bright ground
    assert max(right[:3]) == 0  # the alpha
    press(page, "4", "d")
    until(lambda: pixel(page, 0.5, 0.5) == [0, 0, 0, 255], SHORT)


def test_flags_are_gone_to_and_scores_are_listed(judge):
    page = judge("frame=1001&a=alpha&mode=single")
    until(lambda: "hole" in page.find_element("id", "flags").text, SHORT)
    press(page, "n")
    until(lambda: shown(page) == FLAGGED, SHORT)
    assert "hole" in page.find_element("id", "timeline").get_attribute("aria-valuetext")
    score = page.find_element("id", "score-now").text
    assert re.match(r"0\.\d+, threshold", score)


def test_a_missing_frame_says_so_and_is_shown_once_it_is_there(judge, shot):
    page = judge("frame=1012&a=alpha&mode=single")
    until(lambda: "alpha frame 1012" in page.find_element("id", "said").text, SHORT)
    write_picture(shot / "alpha.1012.exr", np.ones(SIZE, np.float32), ("A",))
    until(lambda: pixel(page, 0.5, 0.5) == [255, 255, 255, 255], SHORT)
    assert not page.find_element("id", "said").is_displayed()


def test_close_by_every_pixel_is_that_of_the_file(judge):
    page = judge("frame=1003&a=alpha&mode=single")
    press(page, "0", "+", "+", "+", "+", "+")
    until(lambda: page.find_element("id", "zoom").text == "759 %", SHORT)
    asked = until(lambda: [name for name in page.execute_script(_ASKED) if "region=" in name], SHORT)
    assert all("/pictures/alpha" in name for name in asked)


_ASKED = "return performance.getEntriesByType('resource').map((one) => one.name)"


def test_numbers_under_the_pointer_are_exact(judge):
    from selenium.webdriver.common.action_chains import ActionChains

    page = judge("frame=1003&a=plate&mode=single")
    ActionChains(page).move_to_element(page.find_element("id", "canvas")).perform()
    text = until(lambda: (said := page.find_element("id", "values").text).startswith("frame") and said, SHORT)
    assert f"plate {float(np.float16(2 / COUNT)):.7g} " in text
    assert text.endswith("mask 1   alpha 1")


def test_playing_shows_the_frames_in_time_and_counts_those_that_were_dropped(judge):
    page = judge("frame=1001&a=plate&mode=single")
    page.execute_script("document.getElementById('fps').value = 8")
    press(page, " ")
    said = until(lambda: page.find_element("id", "speed").text, SHORT)
    assert re.fullmatch(r"[\d.]+ a second, \d+ dropped", said)
    until(lambda: shown(page) > 1003, SHORT)
    press(page, "k")
    stopped = shown(page)
    assert page.find_element("id", "play").text == "Play"
    page.execute_async_script("setTimeout(arguments[0], 300)")
    assert shown(page) == stopped


def test_exposure_is_of_the_server_and_the_help_lists_the_keys(judge):
    page = judge("frame=1003&a=alpha&mode=single")
    press(page, "E")  # half a stop less, twice
    press(page, "E")
    until(lambda: pixel(page, 0.5, 0.5)[0] == 128, SHORT)
    press(page, "r")
    until(lambda: pixel(page, 0.5, 0.5)[0] == 255, SHORT)
    press(page, "h")
    assert page.find_element("id", "keys").get_attribute("open") is not None


def test_views_whose_files_were_not_chosen_cannot_be_taken(judge):
    page = judge("frame=1003&a=plate&mode=single")
    options = {
        one.get_attribute("value"): one.is_enabled() for one in page.find_elements("css selector", "#view-a option")
    }
    assert (options["plate"], options["alpha"], options["difference"], options["comp_own"]) == (
        True,
        True,
        False,
        False,
    )


_LAYER = """const [query, done] = arguments;
import("/static/viewer.js").then(async ({ PictureView }) => {
  const { PromptLayer } = await import("/static/prompts.js");
  const canvas = document.createElement("canvas");
  canvas.id = "canvas";
  canvas.tabIndex = 0;
  document.querySelector("h1").replaceWith(canvas);
  canvas.style.width = "600px";
  canvas.style.height = "400px";
  const address = (name, frame) => `/pictures/${name}?${query}&frame=${frame}&size=640`;
  const view = new PictureView(canvas, { address });
  view.setSize(300, 200);
  view.show({ frame: 1003, views: ["plate"] });
  window.layer = new PromptLayer(view);
  view.addEventListener("painted", () => done(), { once: true });
});"""


def test_clicks_and_boxes_are_put_by_pointer_and_by_keys(chrome, judge, site, shot):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    page = chrome
    page.get(f"{site.address}/judge")
    page.execute_async_script(_LAYER, urlencode({"plate": str(shot / "plate.####.exr")}))
    canvas = page.find_element("id", "canvas")
    page.execute_script("layer.tool = 'add'; layer.object = 'hero'")
    ActionChains(page).move_to_element(canvas).click().perform()
    ActionChains(page).move_to_element(canvas).context_click().perform()
    page.execute_script("layer.tool = 'box'; layer.object = ''")
    ActionChains(page).move_to_element_with_offset(canvas, -50, -40).click_and_hold().move_by_offset(
        100, 80
    ).release().perform()
    first, second, box = page.execute_script("return layer.prompts")
    assert (first["kind"], first["frame"], first["subject"], first["object"]) == ("point", 1003, True, "hero")
    assert np.abs(np.subtract(first["place"], (150, 100))).max() <= 1
    assert (second["subject"], box["kind"], box["object"]) == (False, "box", "")
    assert np.abs(np.add(box["place"][:2], np.divide(box["place"][2:], 2)) - (150, 100)).max() <= 2
    page.execute_script("layer.clear(); layer.tool = 'subtract'; document.getElementById('canvas').focus()")
    press(page, Keys.ARROW_RIGHT, Keys.ARROW_DOWN, Keys.ENTER)
    assert page.execute_script("return layer.prompts.at(-1)")["place"] == [151.5, 101.5]
    press(page, Keys.BACKSPACE)
    assert len(page.execute_script("return layer.prompts")) == 2  # those of hero
