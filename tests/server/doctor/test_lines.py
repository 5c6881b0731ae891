"""The report as people and programs read it."""

from videomama_server.doctor.lines import as_fields, as_text, can_refine, good, problem, warning

FINE, LESS, BROKEN = good("python", "fine"), warning("gpu", "none", "Buy one."), problem("ports", "none", "Free one.")


def test_only_problems_keep_a_machine_from_refining():
    assert can_refine([FINE, LESS])
    assert not can_refine([FINE, BROKEN])


def test_as_fields():
    assert as_fields([FINE, BROKEN]) == {
        "ok": False,
        "lines": [
            {"name": "python", "state": "ok", "what": "fine", "fix": ""},
            {"name": "ports", "state": "problem", "what": "none", "fix": "Free one."},
        ],
    }


def test_as_text():
    lines = as_text([FINE, LESS, BROKEN]).splitlines()
    assert lines == [
        "ok       python  fine",
        "warning  gpu     none",
        "                 Buy one.",
        "problem  ports   none",
        "                 Free one.",
        "",
        "This machine cannot refine. Problems: 1. Warnings: 1.",
    ]
    assert as_text([FINE]).endswith("\nThis machine can refine.")
    assert as_text([LESS]).endswith("\nThis machine can refine. Warnings: 1.")
