"""The order of the queue, of jobs in a book."""

from dataclasses import replace

from videomama_client.errors import BadInput
from videomama_client.messages import MatteFailed, SubmitMatte
from videomama_client.settings import MatteSettings
from videomama_server.serving.jobs import run_message
from videomama_server.serving.queue_order import in_order, jobs_before, next_turn, places

REQUEST = SubmitMatte("r", "/shots/plate.####.exr", "/shots/mask.####.exr", "/out/a.####.exr", MatteSettings())


def test_clients_take_turns(book):
    greedy = [book.add(b"greedy", REQUEST) for _ in range(3)]
    late = [book.add(b"late", REQUEST) for _ in range(2)]
    assert [job.turn for job in greedy + late] == [0, 1, 2, 0, 1]
    assert run_message(greedy[2]).turn == 2
    for job in (greedy[0], late[0]):
        book.note(MatteFailed.by(job.id, BadInput("no")))
    assert book.add(b"third", REQUEST).turn == 1  # it is not served before those whose turn it is
    assert book.add(b"third", replace(REQUEST, priority="batch")).turn == 0
    assert next_turn(book.running(), b"greedy", "interactive") == 3
    assert next_turn([], b"greedy", "interactive") == 0


def test_jobs_go_by_priority_then_turn_then_as_they_came(book):
    farm, artist, second, other = (
        book.add(client, replace(REQUEST, priority=priority))
        for client, priority in ((b"f", "batch"), (b"a", "interactive"), (b"a", "interactive"), (b"o", "interactive"))
    )
    assert in_order(book.running()) == book.queue() == [artist, other, second, farm]
    assert places(book.running()) == {artist.id: 0, other.id: 1, second.id: 2, farm.id: 3}
    assert [jobs_before(job, book.running()) for job in (artist, other, second, farm)] == [0, 1, 2, 3]
    book.set_priority(farm, "interactive")
    assert (farm.request.priority, farm.turn, jobs_before(farm, book.running())) == ("interactive", 0, 0)
    book.note(MatteFailed.by(artist.id, BadInput("no")))
    assert jobs_before(artist, book.running()) is None
    assert book.report_of(second).jobs_before == 2
