"""Roto and RotoPaint: closed shapes that do not move are drawn, all else is refused by its name."""

import struct

import pytest
from nuke_standin import curves


def bits(number):
    return f"x{struct.pack('>f', number).hex()}"


def point(x, y):
    return f"{{{bits(x)} {bits(y)}}}"


def corners(*places):
    return " ".join(f"{{0 0}} {point(*place)} {{0 0}}" for place in places)


BOX = corners((4, 2), (12, 2), (12, 8), (4, 8))


def shape(points=BOX, name="Box", flags="512", kind="bezier", feather="idem", attributes="", moved=""):
    hard = f"{{cc {{f 8192}} {{px x447a4000 {points}}}}}"
    rest = f"{{tx x447a4000 8 5}} {moved} {{a osf 0 {attributes}}}"
    return f"{{curvegroup {name} {flags} {kind} {{{hard} {feather}}} {rest}}}"


def text(*shapes, layer=""):
    return f"{{{{v x3f99999a}} {{f 0}} {{n {{layer Root {{f 0}} {{t 8 6}} {{a pt1x 0}} {layer} {' '.join(shapes)}}}}}}}"


@pytest.fixture
def roto(nuke):
    """`roto(curves, ...)`: a Roto over black of 16x12 pixels, read as a script has it."""
    nuke.addFormat("16 12 0 0 16 12 1 small")

    def made(drawn, more="", cls="Roto"):
        nuke.scriptReadText("Constant { inputs 0 channels rgba color {0.5 0.5 0.5 0} format small }\n"
                            f"{cls} {{ output alpha {more} curves {{{drawn}}} }}\n")  # fmt: skip
        return nuke.allNodes(cls)[-1]

    return made


def alphas(node, *places):
    return [round(node.sample("rgba.alpha", x, y), 4) for x, y in places]


@pytest.mark.parametrize("cls", ["Roto", "RotoPaint"])
def test_a_box_is_one_inside_and_nothing_outside(roto, cls):
    node = roto(text(shape()), cls=cls)
    assert alphas(node, (4, 2), (11, 7), (3, 5), (12, 5), (8, 8), (8, 1)) == [1, 1, 0, 0, 0, 0]
    assert node.sample("rgba.red", 8, 5) == 0.5


def test_edges_between_pixels_are_soft(roto):
    node = roto(text(shape(corners((4.5, 2.25), (12, 2.25), (12, 8), (4.5, 8)))))
    assert alphas(node, (4, 5), (8, 2), (4, 2)) == [0.5, 0.75, 0.375]


def test_tangents_bend_the_line(roto):
    """A circle of radius 4 from four points, whose tangents are 0.5523 of it."""
    reach = 4 * 0.5523
    parts = [((4, 0), (0, reach)), ((0, 4), (-reach, 0)), ((-4, 0), (0, -reach)), ((0, -4), (reach, 0))]
    points = " ".join(f"{point(-tx, -ty)} {point(8 + x, 6 + y)} {point(tx, ty)}" for (x, y), (tx, ty) in parts)
    node = roto(text(shape(points)))
    area = sum(alphas(node, *((x, y) for x in range(16) for y in range(12))))
    assert area == pytest.approx(50.27, abs=0.1)
    assert alphas(node, (8, 6), (4, 2), (10, 6)) == [1, 0, 1]


def test_colour_opacity_and_order(roto):
    red = shape(name="Red", attributes="r 1 g 0 b 0 a 1 opc 0.5")
    node = roto(text(red, shape(name="Below")), more="output rgba")
    assert [round(node.sample(f"rgba.{one}", 8, 5), 4) for one in ("red", "green", "alpha")] == [1, 0.5, 1]
    node["opacity"].setValue(0.5)
    assert round(node.sample("rgba.green", 8, 5), 4) == 0.5625


def test_inverted_shapes_and_replace(roto):
    node = roto(text(shape(attributes="inv 1")), more="output rgba")
    assert alphas(node, (8, 5), (1, 1)) == [0, 1]
    node["replace"].setValue(True)
    assert node.sample("rgba.red", 8, 5) == 0


@pytest.mark.parametrize(
    ("clip", "box"), [("none", (0, 0, 20, 12)), ("format", (0, 0, 16, 12)), ("bbox", (0, 0, 16, 12))]
)
def test_the_box_is_clipped_as_asked(roto, clip, box):
    node = roto(text(shape(corners((4, 2), (20, 2), (20, 8), (4, 8)))), more=f"cliptype {clip}")
    found = node.bbox()
    assert (found.x(), found.y(), found.w(), found.h()) == box


def test_a_mask_of_the_roto_and_nothing_above_it(nuke, roto):
    assert roto("").sample("rgba.alpha", 8, 5) == 0
    nuke.root()["format"].setValue("small")
    alone = nuke.nodes.Roto(output="alpha", curves=text(shape()))
    assert alphas(alone, (8, 5), (1, 1)) == [1, 0]


MOVED = "{t {{x447a4000 x44500000}} {{x447a4000 x44194000}} 0 {{x447a4000 0}} {{x447a4000 0}} 0 0 0 {{x447a4000 %s}} "
MOVED += "{{x447a4000 1}} {{x447a4000 1}} 1 {{x447a4000 0}}}"


def test_a_transform_that_changes_nothing_is_taken(roto):
    assert alphas(roto(text(shape(moved=MOVED % 0))), (8, 5)) == [1]
    same = f"{{cc {{f 8192}} {{px x447a4000 {corners((0, 0), (0, 0), (0, 0), (0, 0))}}}}}"
    assert alphas(roto(text(shape(feather=same))), (8, 5)) == [1]


SOFT = f"{{cc {{f 8192}} {{px x447a4000 {corners((3, 0), (0, 0), (0, 0), (0, 0))}}}}}"


@pytest.mark.parametrize(
    ("drawn", "said"),
    [
        (shape(feather=SOFT), "Box: feather"),
        (shape(moved=MOVED % 45), "Box: a transform"),
        (shape(flags="576"), "Box: a bezier with the flags 576"),
        (shape(kind="bspline"), "Box: a bspline with the flags 512"),
        (shape(attributes="bm 3"), "Box: the attribute bm"),
        (shape(attributes="opc {{0 1 x447a4000 0}}"), "Box: something that changes with time"),
        (shape(points="{0 0} {{=parent.x 1} 2} {0 0} {0 0} {1 1} {0 0}"), "Box: points that move"),
        (shape(points="{0 0} {1 1} {0 0}"), "Box: 3 points, which are no shape"),
        (shape().replace("{f 8192}", "{f 2080}"), "Box: an open shape"),
        ("{cubiccurve Brush1 512 catmullrom {cc {f 2080}}}", "Brush1: strokes and curves of the kind cubiccurve"),
        (f"{{layer Moving {{t 1 2 0 5 5 0}} {shape()}}}", "Moving: a transform"),
        (f"{{layer Faded {{a opc 0.5}} {shape()}}}", "Faded: the attribute opc of a layer"),
        (shape(attributes="opc some"), "Box: 'some' is no number"),
    ],
)  # fmt: skip
def test_what_is_not_drawn_is_refused_by_name(roto, drawn, said):
    node = roto(text(drawn))
    with pytest.raises(RuntimeError, match=f"the stand-in does not draw {said}"):
        node.format()
    with pytest.raises(curves.CurveError):
        curves.read(text(drawn))


def test_further_backgrounds_are_refused(nuke, roto):
    node = roto(text(shape()))
    node.setInput(2, nuke.nodes.Constant())
    with pytest.raises(RuntimeError, match="paints from no second background"):
        node.format()


def test_knobs_of_the_tools_matter_to_no_picture(roto):
    tools = (
        "toolbox {selectAll { { brush str 1 } }} toolbar_brush_hardness 0.2 lifetime_start 5 source_black_outside true"
    )
    assert alphas(roto(text(shape()), more=tools), (8, 5)) == [1]
    with pytest.raises(RuntimeError, match="cannot read the knob motionblur"):
        roto(text(shape()), more="motionblur 2").format()
