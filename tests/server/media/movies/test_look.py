import pytest
from videomama_server.media import color
from videomama_server.media.movies import index_store
from videomama_server.media.movies.look import BT601, BT709, Look

PQ, HLG, P3, BT2020 = 16, 18, 12, 9


def look_at(movie):
    return index_store.index_of(movie)[1].look


def space_of(**tags):
    return color.resolve("auto", False, Look(64, 48, **tags).declared)


def test_pq_and_hlg_are_handed_to_opencolorio_by_name():
    assert space_of(transfer=PQ, primaries=BT2020) == "Rec.2100-PQ - Display"
    assert space_of(transfer=HLG, primaries=BT2020) == "Rec.2100-HLG - Display"
    assert space_of(transfer=1, primaries=BT2020) == "Rec.1886 Rec.2020 - Display"
    assert space_of(transfer=8, primaries=BT2020) == "Linear Rec.2020"


def test_standard_video_counts_as_what_screens_show():
    for tags in (
        {},
        {"transfer": 1, "primaries": 1},
        {"transfer": 6, "primaries": 6},
        {"transfer": 13, "primaries": 1},
    ):
        assert space_of(**tags) == color.DISPLAY
    assert space_of(transfer=13, primaries=P3) == "sRGB Encoded P3-D65 - Texture"
    assert space_of(transfer=8, primaries=1) == color.LINEAR


def test_what_no_name_is_known_for_is_told():
    for tags in ({"transfer": 9}, {"primaries": 8, "transfer": 1}):
        declared = Look(64, 48, **tags).declared
        assert declared.words
        assert not declared.names
        assert "--colorspace" in color.doubt("auto", False, declared)


def test_tags_of_a_movie_are_read(make_movie, numbered):
    tags = {"color_trc": PQ, "color_primaries": BT2020, "colorspace": 9, "color_range": 1}
    movie = make_movie(
        "plate.mkv",
        numbered(2),
        codec="libx265",
        layout="yuv420p10le",
        tags=tags,
        options={"x265-params": "log-level=0"},
    )
    look = look_at(movie)
    assert (look.transfer, look.primaries, look.matrix, look.full_range) == (PQ, BT2020, 9, False)
    assert look.layout == "yuv420p10le"


@pytest.mark.parametrize(("size", "matrix"), [((64, 48), BT601), ((64, 720), BT709)])
def test_where_a_movie_names_no_matrix_its_size_decides(make_movie, numbered, size, matrix):
    assert look_at(make_movie("plate.mp4", numbered(1, size))).matrix == matrix


def test_alpha_and_the_shape_of_pixels_are_seen(make_movie, numbered):
    how = {"codec": "prores_ks", "layout": "yuva444p10le", "options": {"profile": "4444"}}
    look = look_at(make_movie("plate.mov", numbered(1, alpha=True), aspect=2, **how))
    assert look.has_alpha
    assert look.aspect == 2
