import sys
from pathlib import Path

import docs_site
from environment import Environment


def test_a_site_whose_pages_cannot_be_built_is_a_failure(tmp_path, monkeypatch, capfd):
    config = tmp_path / "site" / "mkdocs.yml"
    config.parent.mkdir()
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "index.md").write_text("[nowhere](no_such_page.md)\n")
    config.write_text("site_name: one page\ndocs_dir: ../pages\n")
    monkeypatch.setattr(docs_site, "CONFIG", config)
    assert docs_site.build(Environment(Path(sys.prefix)), tmp_path / "out") != 0
    assert "no_such_page.md" in "".join(capfd.readouterr())
