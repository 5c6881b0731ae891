import os
import xml.etree.ElementTree as ET

from videomama_client.errors import BadInput
from videomama_server.web.message_picture import message_picture


def test_it_says_what_is_wrong_and_what_to_do():
    drawn = message_picture(BadInput("plate frame 7: no such file", "Render it."))
    words = [text.text for text in ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")]
    assert words == ["plate frame 7: no such file", "Render it."]


def test_names_cannot_become_markup_and_long_ones_keep_inside():
    drawn = message_picture(BadInput("<script>alert(1)</script> & " + "x" * 4000, "hint"))
    root = ET.fromstring(drawn)
    words = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert words[0].startswith("<script>")
    assert not [found for found in root.iter() if found.tag.endswith("script")]
    assert len(words) <= 11
    assert max(map(len, words)) <= 56


def test_a_name_that_is_not_utf8_is_drawn_with_its_bytes():
    assert rb"caf\udce9.exr" in message_picture(BadInput(os.fsdecode(b"caf\xe9.exr")))
