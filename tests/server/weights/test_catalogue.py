"""What is published, and what pins it."""

from videomama_server.weights import catalogue


def test_the_pins_are_those_of_the_published_files():
    assert catalogue.PUBLISHED.pins() == {"c8d457d4d5eb90f274bd441df60c8e47", "46a0af9a794fb405221988a7e2b1396b"}
    assert catalogue.PUBLISHED.folded_bytes == 2_800_000_000


def test_every_file_is_pinned_or_describes_the_network_of_a_pinned_one():
    tasks = catalogue.PUBLISHED.tasks()
    assert len(tasks) == 4
    for source, wanted in tasks:
        assert source.revision == "main"
        assert bool(wanted.md5) != bool(wanted.network)
        assert (wanted.place.endswith("config.json")) == bool(wanted.network)


def test_the_licence_is_there():
    assert "Stability AI" in catalogue.LICENCE.read_text(encoding="utf-8")
