"""What a job tells its client so that the same pixels can be made again."""

from types import SimpleNamespace

import pytest
from videomama_client.errors import BadInput
from videomama_client.settings import MatteSettings, Resolved
from videomama_client.wire import MAX_TEXT_BYTES
from videomama_server.pipeline import remade
from videomama_server.pipeline.entry_key import Identity


def order(walking=None, **asked):
    request = SimpleNamespace(settings=MatteSettings.of(engine="vitmatte", **asked))
    return SimpleNamespace(request=request, walking=walking)


def identity(**resolved):
    return Identity("engine-1", "colour", Resolved(MatteSettings.of(engine="vitmatte", **resolved)))


def test_the_folder_of_weights_that_was_asked_for_stands_in_place_of_their_digest():
    found = remade.settings_of(order(weights="/w"), identity(weights="digest fp32", tile=512, window=8))
    assert (found.option("weights"), found.option("tile"), found.window) == ("/w", 512, 8)
    assert remade.settings_of(order(), identity(weights="digest fp32")).option("weights") is None


def test_an_engine_that_walks_is_asked_for_no_windows():
    found = remade.settings_of(order(walking=object()), identity(window=1, overlap=0))
    assert (found.window, found.overlap) == (None, None)


def test_a_fingerprint_has_engine_and_weights():
    assert remade.fingerprint_of(identity()) == "engine-1"
    assert remade.fingerprint_of(identity(weights="digest fp32")) == "engine-1 digest fp32"


class Frames:
    """A reader of digests by frame."""

    def __init__(self, digests, has_masks=True):
        self.digests = digests
        self.has_masks = has_masks

    def plate_facts(self, frame):
        return SimpleNamespace(digest=self.digests[frame]) if frame in self.digests else None

    def mask_digest(self, frame):
        if frame not in self.digests:
            raise BadInput("it is gone")
        return self.digests[frame]


@pytest.mark.parametrize("digest", [remade.plate_digest, remade.mask_digest])
def test_a_digest_is_of_all_frames_with_their_numbers(digest):
    base = digest(Frames({1: "a", 2: "b"}), [1, 2])
    assert len(base) == 40
    assert digest(Frames({1: "a", 2: "b", 3: "c"}), [1, 2]) == base
    others = [digest(Frames({1: "a", 2: "c"}), [1, 2]), digest(Frames({1: "b", 2: "a"}), [1, 2])]
    others += [digest(Frames({1: "a", 3: "b"}), [1, 3]), digest(Frames({1: "a", 2: "b"}), [1])]
    assert len({base, *others}) == 5


@pytest.mark.parametrize("digest", [remade.plate_digest, remade.mask_digest])
def test_a_file_that_is_gone_at_the_end_fails_no_job(digest):
    assert digest(Frames({1: "a"}), [1, 2]) == ""


def test_there_is_no_digest_of_masks_that_are_not_there():
    assert remade.mask_digest(Frames({1: "a"}, has_masks=False), [1]) == ""


def test_a_range_too_long_for_a_message_is_left_out():
    assert remade.range_text([1, 2, 3, 7]) == "1-3,7"
    scattered = [number**2 for number in range(20_000)]
    assert len(",".join(map(str, scattered))) > MAX_TEXT_BYTES
    assert remade.range_text(scattered) == ""
