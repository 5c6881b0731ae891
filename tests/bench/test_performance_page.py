def test_the_page_says_what_was_recorded(load_bench):
    module = load_bench("performance_page")
    assert module.PAGE.read_text(encoding="utf-8") == module.page(), "run python bench/performance_page.py"
