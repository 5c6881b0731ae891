"""The pages that there are."""

from starlette.routing import Route
from videomama_server.web import pages


def test_every_page_brings_routes_and_no_two_share_one(site):
    found = [(route.path, method) for route in pages.routes(site) for method in route.methods]
    assert len(found) == len(set(found))
    assert all(isinstance(route, Route) for route in pages.routes(site))
    assert {("/run", "GET"), ("/jobs", "GET"), ("/judge", "GET"), ("/settings", "GET")} <= set(found)


def test_what_changes_something_is_no_get(site):
    told = ("cancel", "priority", "again", "resume", "start", "stop", "fetch", "clear", "prune", "add", "remove", "end")
    for route in pages.routes(site):
        if route.path.rsplit("/", 1)[-1] in told:
            assert route.methods == {"POST"}, route.path
