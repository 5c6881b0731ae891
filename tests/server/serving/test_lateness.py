"""What takes too long among the jobs of a book."""

import time

from videomama_client.errors import BadInput
from videomama_client.messages import FrameWanted, MatteFailed
from videomama_server.serving.lateness import overdue, unsent


def ended(job):
    return MatteFailed.by(job.id, BadInput("no"))


def test_the_file_that_has_been_read_the_longest_is_overdue(book, job):
    begun = time.monotonic()
    book.note_files(job.id, ["plate frame 1 (/a)"])
    time.sleep(0.02)
    book.note_files(job.id, ["plate frame 1 (/a)", "mask frame 1 (/b)"])
    assert overdue(book.jobs(), 0.01, begun) == (job, "plate frame 1 (/a)")
    assert overdue(book.jobs(), 60.0, begun) is None
    assert overdue(book.jobs(), 0.0, begun) is None  # no limit
    assert overdue(book.jobs(), 0.01, time.monotonic()) is None  # an earlier worker's
    book.note_files(job.id, ["mask frame 1 (/b)"])
    assert overdue(book.jobs(), 0.01, begun) in (None, (job, "mask frame 1 (/b)"))


def test_a_file_of_a_job_that_has_ended_holds_the_worker_up_as_well(book, job):
    begun = time.monotonic()
    book.note_files(job.id, ["plate frame 1 (/a)"])
    book.note(ended(job))
    time.sleep(0.02)
    assert overdue(book.jobs(), 0.01, begun) == (job, "plate frame 1 (/a)")


def test_the_frame_that_has_been_waited_for_the_longest_is_unsent(book, job):
    other = book.add(b"client", job.request)
    book.note(FrameWanted(job.id, "plate", 1))
    time.sleep(0.02)
    book.note(FrameWanted(other.id, "mask", 2))
    book.after_death()
    assert isinstance(book.note(FrameWanted(job.id, "plate", 1)), FrameWanted)  # the client hears of it again
    assert unsent(book.jobs(), 0.01) == (job, "plate", 1)
    assert unsent(book.jobs(), 60.0) is None
    assert unsent(book.jobs(), 0.0) is None  # no limit
    book.note(ended(job))
    time.sleep(0.02)
    assert unsent(book.jobs(), 0.01) == (other, "mask", 2)


def test_nothing_is_overdue_or_unsent_where_nothing_is_read_or_wanted(book, job):
    assert overdue(book.jobs(), 0.001, 0.0) is None
    assert unsent(book.jobs(), 0.001) is None
    assert overdue([], 0.001, 0.0) is unsent([], 0.001) is None
