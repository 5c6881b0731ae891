import pytest
from videomama_client.errors import BadInput, ServerUnreachable
from videomama_client.messages import CacheReported, ClearCache, PruneCache, ReportCache, RequestRefused
from videomama_server.serving.questions import MOST_AT_ONCE, Asked, QuestionBook


@pytest.fixture
def replies():
    return []


@pytest.fixture
def book(replies):
    return QuestionBook(lambda client, answer: replies.append((client, answer)))


def reported(request):
    return CacheReported(request, "/cache", 1, 2, 3)


def test_an_answer_goes_to_who_asked_under_the_id_that_was_asked(book, replies):
    first, second = book.add(b"one", ReportCache("same")), book.add(b"two", PruneCache("same", 1.0))
    assert first.request != second.request
    assert second.limit_gb == 1.0
    book.settle(reported(second.request))
    book.settle(reported(first.request))
    assert replies == [(b"two", reported("same")), (b"one", reported("same"))]
    assert book.waiting() == []


def test_an_answer_that_nobody_waits_for_is_dropped(book, replies):
    asked = book.add(b"one", ReportCache("r"))
    book.settle(reported("nonsense"))
    book.settle(reported(asked.request))
    book.settle(reported(asked.request))
    assert len(replies) == 1


def test_after_a_death_the_next_worker_is_asked_once_more(book, replies):
    asked = [book.add(b"one", ReportCache("r")), book.add(b"two", ClearCache("r"))]
    assert book.waiting() == asked
    assert book.after_death() == asked
    assert replies == []
    book.settle(reported(asked[0].request))
    assert replies == [(b"one", reported("r"))]


def test_a_question_that_was_there_at_two_deaths_is_refused(book, replies):
    book.add(b"one", ClearCache("r"))
    book.after_death()
    later = book.add(b"two", ReportCache("s"))
    assert book.after_death() == [later]
    ((client, refused),) = replies
    assert client == b"one"
    assert isinstance(refused, RequestRefused)
    assert (refused.request, refused.code) == ("r", "internal")
    assert "died twice over ClearCache" in refused.message
    assert refused.hint


def test_at_the_end_every_question_is_answered_with_the_reason(book, replies):
    for client in (b"one", b"two"):
        book.add(client, ReportCache("r"))
    book.refuse_all(ServerUnreachable("the server was ended", "Run again."))
    assert [client for client, _ in replies] == [b"one", b"two"]
    assert {refused for _, refused in replies} == {
        RequestRefused("r", "server-unreachable", "the server was ended", "Run again.")
    }
    assert book.waiting() == []


def test_more_questions_than_the_engine_could_answer_are_refused(book):
    asked = [book.add(b"one", ReportCache("r")) for _ in range(MOST_AT_ONCE)]
    with pytest.raises(BadInput, match="questions wait"):
        book.add(b"one", ReportCache("r"))
    book.settle(reported(asked[0].request))
    book.add(b"one", ReportCache("r"))


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Asked) == {"deaths": 0}
