"""The application: where the home is, and errors as pages."""


def test_the_first_page_is_that_of_jobs(page):
    answer = page.get("/")
    assert answer.status_code == 200
    assert answer.url.path == "/jobs"
    assert "No server is running" in answer.text


def test_an_unknown_address_is_a_page_and_not_a_traceback(page):
    answer = page.get("/nowhere/<b>")
    assert answer.status_code == 404
    assert "&lt;b&gt;" in answer.text
    assert "Traceback" not in answer.text
