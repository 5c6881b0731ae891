"""The scripts of the Run page in a real browser: the picture with mask, trimap and prompts, and the form around it."""

import json

import pytest
from page_browser import complaints, let_in, listening, opened, until

pytestmark = pytest.mark.slow
LONG = 60.0


@pytest.fixture(scope="module")
def chrome(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def run(chrome, served, home_clip):
    """Open the Run page with a plate and a mask; the console must have said nothing at the end."""
    folder = home_clip(count=3, size=(320, 180))
    with listening(served):
        chrome.get("about:blank")
        complaints(chrome)
        let_in(chrome, served)
        chrome.get(f"{served.address}/run")
        for role in ("plate", "mask"):
            type_into(chrome, role, f"{folder}/{role}.####.exr")
            until(lambda role=role: chrome.find_elements("id", f"found-{role}"), LONG)
        yield chrome
        said = complaints(chrome)
        chrome.get("about:blank")
        assert said == []


def type_into(chrome, name, text):
    script = "const one = document.getElementById(arguments[0]); one.value = arguments[1];"
    chrome.execute_script(f"{script} one.dispatchEvent(new Event('change', {{ bubbles: true }}))", name, text)


def press(chrome, what):
    chrome.execute_script("document.querySelector(arguments[0]).click()", what)


def pictures(chrome):
    """Return the addresses of the pictures that the browser has asked for."""
    return chrome.execute_script("return performance.getEntriesByType('resource').map((one) => one.name)")


def prompts(chrome):
    return json.loads(chrome.find_element("id", "prompts").get_property("value"))


def test_mask_and_trimap_are_drawn_with_the_numbers_of_the_form(run):
    press(run, "#mask-shown")
    until(lambda: any("/pictures/mask_over?" in name for name in pictures(run)), LONG)
    type_into(run, "refiner", "vitmatte")
    until(lambda: run.find_elements("id", "trimap-slider"), LONG)
    press(run, "#trimap-shown")
    run.execute_script(
        "const one = document.getElementById('trimap-slider'); one.value = 2;"
        "one.dispatchEvent(new Event('input', { bubbles: true }))"
    )
    assert run.find_element("id", "r.trimap_preset").get_property("value") == "wider"
    assert run.find_element("css selector", "#trimap-numbers .chosen").text.split() == [
        "Wider",
        "0.97",
        "0.03",
        "16",
        "24",
    ]
    until(
        lambda: any("/pictures/trimap_over?" in name and "trimap_preset=wider" in name for name in pictures(run)), LONG
    )


def test_the_mask_of_a_frame_is_made_while_prompts_are_given(run, home):
    press(run, "[name=mask_source][value=prompts]")
    type_into(run, "maker", "held")
    press(run, "#mask-preview")
    type_into(run, "key-mask", str(home / "shot" / "mask.1001.exr"))
    press(run, "#add-key")
    assert prompts(run) == [{"kind": "mask", "file": str(home / "shot" / "mask.1001.exr"), "frame": 1001, "object": ""}]
    until(lambda: any(name.endswith("/run/mask-preview") for name in pictures(run)), LONG)
    until(lambda: run.find_element("id", "preview-state").text == "", LONG)


def test_a_prompt_is_removed_by_its_button(run):
    press(run, "[name=mask_source][value=prompts]")
    type_into(run, "words", "the dog")
    press(run, "#add-words")
    assert [one["text"] for one in prompts(run)] == ["the dog"]
    assert run.find_element("id", "prompt-list").text.startswith('words "the dog"')
    press(run, "#prompt-list button")
    assert prompts(run) == []


def test_the_output_is_proposed_and_kept_once_it_is_typed(run, home):
    assert run.find_element("id", "out").get_property("value") == str(home / "shot" / "alpha" / "alpha.####.exr")
    type_into(run, "out", "/elsewhere/a.####.exr")
    run.execute_script("document.getElementById('out').dispatchEvent(new Event('input', { bubbles: true }))")
    type_into(run, "plate", str(home / "shot" / "plate.####.exr"))
    until(lambda: run.execute_script("return document.querySelector('.htmx-request') === null"), LONG)
    assert run.find_element("id", "out").get_property("value") == "/elsewhere/a.####.exr"


def test_a_mistake_is_told_beside_the_form(run):
    type_into(run, "s.exposure", "900")
    press(run, "[hx-post='/run/check']")
    until(lambda: "exposure" in run.find_element("id", "outcome").text, LONG)


def test_keys_press_the_buttons_but_not_while_typing(run):
    from selenium.webdriver.common.action_chains import ActionChains

    covered = """const one = document.getElementById("label"); one.focus();
    const { left, top, width, height } = one.getBoundingClientRect();
    return document.elementFromPoint(left + width / 2, top + height / 2) !== one"""
    assert not run.execute_script(covered)  # by the buttons, which stay at the bottom
    ActionChains(run).send_keys("d3").perform()
    assert run.find_element("id", "label").get_property("value") == "d3"
    assert run.find_element("id", "outcome").text == ""
    run.execute_script("document.activeElement.blur()")
    ActionChains(run).send_keys("d").perform()
    until(lambda: "Nothing was computed" in run.find_element("id", "outcome").text, LONG)
    ActionChains(run).send_keys("2").perform()
    until(lambda: run.current_url.endswith("/jobs"), LONG)
