import os
from dataclasses import dataclass, field

import pytest
from videomama_client.digests import content_digest
from videomama_client.errors import BadInput, NotPermitted
from videomama_client.job_records import this_submitter
from videomama_client.messages import FrameDone, MatteDone, SideFrameDone, SideResult
from videomama_client.settings import MatteSettings
from videomama_server.submission import Submission, project_paths, submit


@dataclass
class Link:
    """What `submit` needs of a client, with or without the same files on the other side."""

    shares: bool
    requests: list = field(default_factory=list)
    proved: list = field(default_factory=list)

    def sees_file(self, path):
        self.proved.append(path)
        return self.shares

    def sees_folder(self, folder):
        self.proved.append(folder)
        return self.shares

    def submit(self, request):
        self.requests.append(request)
        return "job-1"

    def events(self, job, inline):
        yield FrameDone(job, 1001, False, "/elsewhere/alpha.1001.exr")
        yield MatteDone(job, 1, 1, 0, 0.1, "classic", [0, 0, 1, 1])

    def fetch_alpha(self, job, frame, side_kind="", name=""):
        return f"{side_kind or 'alpha'} {frame} of {job}".encode()


@pytest.fixture
def shot(make_shot):
    return make_shot([1001, 1002, 1003])


@pytest.fixture
def order(shot, tmp_path):
    def make(**asked):
        return Submission(shot.plate, shot.mask, str(tmp_path / "out" / "a.####.exr"), MatteSettings(), **asked)

    return make


def names_in(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != "job.json")


def test_where_both_sides_see_the_files_the_job_goes_by_path(order, shot, tmp_path):
    link = Link(shares=True)
    sent = submit(link, order(frame_ranges="1001", layer="roto", dtype="half", rehash=True))
    (request,) = link.requests
    assert (sent.job, sent.inline) == ("job-1", None)
    assert (request.plate, request.mask) == (shot.plate, shot.mask)
    assert (request.frame_ranges, request.layer, request.dtype, request.rehash) == ("1001", "roto", "half", True)
    assert not request.inline
    assert request.inline_frame_numbers == request.plate_digests == request.mask_digests == []
    assert link.proved == [shot.plate_file(1001), shot.mask_file(1001), tmp_path / "out"]
    assert (request.submitter, request.label) == (this_submitter("cli"), "")


def test_a_job_has_the_label_and_the_program_that_its_caller_names(order):
    link = Link(shares=True)
    submit(link, order(label="shot010", program="batch"))
    (request,) = link.requests
    assert (request.label, request.submitter.program) == ("shot010", "batch")


@pytest.mark.parametrize("transport", ["auto", "inline"])
def test_where_they_do_not_the_files_are_offered_by_digest(order, shot, transport):
    link = Link(shares=transport == "inline")
    sent = submit(link, order(transport=transport))
    (request,) = link.requests
    assert request.inline
    assert request.inline_frame_numbers == [1001, 1002, 1003]
    assert request.plate_digests == [content_digest(shot.plate_file(frame)) for frame in (1001, 1002, 1003)]
    assert request.mask_digests[2] == content_digest(shot.mask_file(1003))
    assert sent.inline.file("mask", 1002) == shot.mask_file(1002)


def test_by_path_is_refused_where_the_files_are_not_shared(order, raises_with_hint):
    link = Link(shares=False)
    with raises_with_hint(BadInput, "the same files"):
        submit(link, order(transport="path"))
    assert link.requests == []


def test_only_the_clip_is_offered(order):
    link = Link(shares=False)
    submit(link, order(clip="1002-1003"))
    assert link.requests[0].inline_frame_numbers == [1002, 1003]


def test_a_clip_on_steps_is_offered_as_it_is_named(order):
    link = Link(shares=False)
    submit(link, order(clip="1001-1003x2"))
    assert link.requests[0].inline_frame_numbers == [1001, 1003]


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({}, [1001, 1002, 1003]),
        ({"clip": "1001-1010x3"}, [1001, 1004, 1007, 1010]),
        ({"clip": "1001-1010", "frame_ranges": "1003-1001x2"}, [1001, 1003]),
    ],
)
def test_what_a_job_makes_is_known_from_its_ranges(order, asked, wanted):
    assert order(**asked).wanted() == wanted


def test_a_dead_link_outside_the_clip_does_no_harm(order, shot):
    shot.plate_file(1001).unlink()
    shot.plate_file(1001).symlink_to("/nowhere/p.exr")
    for shares in (True, False):
        link = Link(shares)
        submit(link, order(clip="1002-1003"))
        assert link.requests


@pytest.mark.parametrize("frames", [[1002], [1001, 1002, 1003]])
def test_a_dead_link_of_an_inline_clip_is_named(order, shot, frames, raises_with_hint):
    for frame in frames:
        shot.mask_file(frame).unlink()
        shot.mask_file(frame).symlink_to("/nowhere/m.exr")
    with raises_with_hint(BadInput, f"mask frame {frames[0]}: ", "is a link to /nowhere/m.exr, which does not exist"):
        submit(Link(shares=False), order())


@pytest.mark.parametrize("role", ["plate", "mask"])
def test_frames_missing_inside_the_clip_are_named_before_anything_is_sent(order, shot, role, raises_with_hint):
    (shot.plate_file if role == "plate" else shot.mask_file)(1002).unlink()
    link = Link(shares=False)
    with raises_with_hint(BadInput, f"{role} frames 1002"):
        submit(link, order())
    assert link.requests == []


def test_alphas_of_an_inline_job_are_fetched_and_written(order, tmp_path):
    sent = submit(Link(shares=False), order())
    assert [type(event).__name__ for event in sent.events()] == ["FrameDone", "MatteDone"]
    out = tmp_path / "out"
    assert names_in(out) == ["a.1001.exr"]
    assert (out / "a.1001.exr").read_bytes() == b"alpha 1001 of job-1"
    (out / "plain").touch()
    assert (out / "a.1001.exr").stat().st_mode == (out / "plain").stat().st_mode


def test_alphas_of_a_job_by_path_are_not_fetched(order, tmp_path):
    assert len(list(submit(Link(shares=True), order()).events())) == 2
    assert names_in(tmp_path / "out") == []


def test_an_output_folder_that_cannot_be_made_is_not_permitted(shot, tmp_path, raises_with_hint):
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "out"
    with raises_with_hint(NotPermitted, out):
        submit(Link(shares=True), Submission(shot.plate, shot.mask, str(out / "a.####.exr"), MatteSettings()))


def test_no_plate_is_an_error_that_names_the_pattern(shot, tmp_path, raises_with_hint):
    plate = str(tmp_path / "none.####.exr")
    with raises_with_hint(BadInput, plate):
        submit(Link(shares=True), Submission(plate, shot.mask, str(tmp_path / "a.####.exr"), MatteSettings()))


@pytest.fixture
def project(tmp_path):
    def put(*names):
        for name in names:
            path = tmp_path / "show" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path / "show"

    return put


def test_a_project_with_one_roto(project):
    show = project("source/frames/f.0001.jpg", "source/frames/f.0002.jpg", "roto/hero/r_001.png", "roto/hero/r_002.png")
    assert project_paths(show, None) == (
        str(show / "source" / "frames" / "f.####.jpg"),
        str(show / "roto" / "hero" / "r_###.png"),
        str(show / "roto" / "hero_mama" / "r_###.png"),
    )


def test_what_was_refined_before_is_no_roto(project):
    show = project("source/frames/1.png", "roto/hero/1.png", "roto/hero_mama/1.png")
    assert project_paths(show, None)[2] == str(show / "roto" / "hero_mama" / "#.png")


def test_one_of_several_rotos_is_named(project, raises_with_hint):
    show = project("source/frames/1.png", "roto/hero/1.png", "roto/dog/1.png")
    assert project_paths(show, "dog")[1] == str(show / "roto" / "dog" / "#.png")
    with raises_with_hint(BadInput, show / "roto", "dog, hero"):
        project_paths(show, None)


@pytest.mark.parametrize("names", [["source/frames/1.png"], ["source/frames/1.png", "roto/stray.png"]])
def test_a_project_without_rotos_is_an_error(project, names, raises_with_hint):
    show = project(*names)
    with raises_with_hint(BadInput, show / "roto"):
        project_paths(show, None)


def test_a_roto_or_plate_that_is_not_there_is_an_error_that_names_its_folder(project, raises_with_hint):
    show = project("roto/hero/1.png")
    with raises_with_hint(BadInput, show / "source" / "frames"):
        project_paths(show, None)
    show = project("source/frames/1.png")
    with raises_with_hint(BadInput, show / "roto"):
        project_paths(show, "cat")
    show = project("source/frames/1.png", "roto/hero/1.png")
    with raises_with_hint(BadInput, show / "roto", "hero", "cat"):
        project_paths(show, "cat")


def test_a_folder_with_two_sequences_is_an_error_that_names_both(project, raises_with_hint):
    show = project("source/frames/a.1.png", "source/frames/b.1.png", "roto/hero/1.png")
    with raises_with_hint(BadInput, show / "source" / "frames", "a.#.png, b.#.png"):
        project_paths(show, None)


@pytest.mark.parametrize("role", ["plate", "mask"])
@pytest.mark.parametrize("transport", ["auto", "inline"])
@pytest.mark.parametrize("written", ["{0}/{1}.####.exr", "{0}/link/{1}.%04d.exr", "{0}/x/../{1}.#.exr"])
def test_an_inline_job_never_overwrites_what_it_is_made_from(shot, transport, role, written, raises_with_hint):
    file = getattr(shot, f"{role}_file")(1002)
    (file.parent / "link").symlink_to(file.parent)
    before = file.read_bytes()
    out = written.format(file.parent, file.name.partition(".")[0])
    link = Link(shares=False)
    with raises_with_hint(BadInput, f"would overwrite the {role}"):
        submit(link, Submission(shot.plate, shot.mask, out, MatteSettings(), transport=transport))
    assert not link.requests
    assert file.read_bytes() == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in folders")
@pytest.mark.parametrize("transport", ["auto", "inline"])
@pytest.mark.parametrize("frame", [1001, 1002])
@pytest.mark.parametrize("put", [lambda path: os.mkfifo(path), lambda path: path.mkdir()], ids=["pipe", "folder"])
def test_what_is_no_file_is_refused_and_never_waited_for(order, shot, transport, frame, put, raises_with_hint):
    shot.mask_file(frame).unlink()
    put(shot.mask_file(frame))
    with raises_with_hint(BadInput, f"mask frame {frame}: ", ": not a file"):
        submit(Link(shares=False), order(transport=transport))


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Submission) == {"rehash": False, "no_job_file": False}


class ColourLink(Link):
    """Whose jobs make foreground colour, too."""

    def events(self, job, inline):
        alpha, done = super().events(job, inline)
        yield alpha
        yield SideFrameDone(job, "foreground", 1001, False, "/elsewhere/fg.1001.exr")
        yield done


@pytest.fixture
def with_colour(order, tmp_path):
    return lambda out="colour/fg.####.exr", **asked: order(
        side_results=(SideResult("foreground", str(tmp_path / out)),), **asked
    )


def test_side_results_go_by_path_where_the_server_sees_their_folder_too(with_colour, tmp_path):
    link = Link(shares=True)
    submit(link, with_colour())
    assert link.requests[0].side_results[0].out == str(tmp_path / "colour" / "fg.####.exr")
    assert {tmp_path / "out", tmp_path / "colour"} <= set(link.proved)


def test_side_results_of_an_inline_job_are_fetched_and_written_here(with_colour, tmp_path):
    link = ColourLink(shares=False)
    list(submit(link, with_colour()).events())
    assert (tmp_path / "colour" / "fg.1001.exr").read_bytes() == b"foreground 1001 of job-1"
    assert (tmp_path / "out" / "a.1001.exr").read_bytes() == b"alpha 1001 of job-1"


def test_a_side_result_that_cannot_be_written_here_is_told_when_all_else_is_done(with_colour, tmp_path):
    (tmp_path / "colour" / "fg.1001.exr").mkdir(parents=True)
    sent, heard = submit(ColourLink(shares=False), with_colour()), []
    with pytest.raises(NotPermitted, match=r"foreground frame 1001: .*a folder of that name"):
        heard.extend(type(event) for event in sent.events())
    assert heard == [FrameDone, SideFrameDone]
    assert (tmp_path / "out" / "a.1001.exr").is_file()


@pytest.mark.parametrize("out", ["shot/plate.####.exr", "shot/mask.####.exr", "out/a.####.exr", "out/A.%04d.exr"])
def test_a_side_result_that_would_overwrite_something_is_refused_before_it_is_sent(with_colour, out, raises_with_hint):
    link = Link(shares=False)
    with raises_with_hint(BadInput, "would"):
        submit(link, with_colour(out))
    assert link.requests == []
