"""What docs/performance.md says of cards of common sizes is what the planner does."""

import json

import pytest


@pytest.mark.slow
def test_the_recorded_rows_are_what_the_planner_gives(load_bench):
    module = load_bench("memory_tiers")
    recorded = json.loads(module.RESULT.read_text(encoding="utf-8"))["result"]
    assert recorded == module.result(), "run python bench/memory_tiers.py --record and bench/performance_page.py"
