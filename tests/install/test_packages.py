from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import packages
import pytest
from environment import Environment
from failure import InstallError
from packages import install_project, remove_damaged
from source import Source


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    (tmp_path / "env").mkdir()
    return Environment(tmp_path / "env")


def fake_pip(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Let `code` run in pip's place, with pip's arguments."""
    monkeypatch.setattr(packages, "_pip", lambda environment: [sys.executable, "-c", code])


def distribution(site: Path, name: str, *, files: tuple[str, ...] = ()) -> Path:
    """A whole distribution: its files, RECORD and INSTALLER."""
    metadata = site / f"{name}-1.0.dist-info"
    metadata.mkdir()
    for file in files:
        (site / file).write_text("")
    (metadata / "INSTALLER").write_text("pip\n")
    (metadata / "RECORD").write_text("".join(f"{file},sha256=x,0\n" for file in (*files, "__pycache__/gone.pyc")))
    return metadata


def test_pip_is_never_told_to_replace_what_fits(
    tmp_path: Path, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_pip(monkeypatch, "import sys; print(sys.argv[1:])")
    install_project(tmp_path, environment, ("dev", "videomama"))
    said = environment.log.read_text()
    assert "'-e', '.[dev,videomama]'" in said
    assert f"'-c', '{(tmp_path / 'install' / 'constraints.txt').as_uri()}'" in said
    assert not any(word in said for word in ("--upgrade", "-U", "--force-reinstall", "--ignore-installed"))


def test_what_pip_left_as_source_is_compiled_and_what_is_no_python_stays(
    tmp_path: Path, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv.create(environment.path)
    asked = [environment.script("python"), "-I", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.check_output(asked, text=True).strip())
    code = f"import pathlib, sys; print(sys.argv[1:]); site = pathlib.Path({str(site)!r})"
    code += "; (site / 'good.py').write_text('x = 1'); (site / 'template.py').write_text('{{ x }} = = 1')"
    fake_pip(monkeypatch, code)
    install_project(tmp_path, environment, ())
    assert "'--no-compile'" in environment.log.read_text()
    assert [path.name.split(".")[0] for path in site.glob("__pycache__/*.pyc")] == ["good"]


def test_the_build_backend_is_pinned_beside_pins_of_the_host(
    tmp_path: Path, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "with space"
    root.mkdir()
    monkeypatch.setenv("PIP_CONSTRAINT", "/studio/pins.txt")
    fake_pip(monkeypatch, "import os; print(os.environ['PIP_CONSTRAINT'], os.environ['PIP_BUILD_CONSTRAINT'])")
    install_project(root, environment, ())
    # pip splits these variables at blanks, so the path must not have one.
    host, ours, again = environment.log.read_text().split()
    assert again.endswith(ours)
    assert host == "/studio/pins.txt"
    assert ours.endswith("/with%20space/install/constraints.txt")


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("WARNING: Retrying after connection broken by 'NewConnectionError(...)'", "HTTPS_PROXY"),
        ("ReadTimeoutError: HTTPSConnectionPool: Read timed out.", "HTTPS_PROXY"),
        ("ProxyError('Cannot connect to proxy.')\\nERROR: No matching distribution found for blake3", "HTTPS_PROXY"),
        ("ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED]", "PIP_CERT"),
        ("ERROR: No matching distribution found for numba==0.68.1", "another Python"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("error: something else", "Mend what pip names"),
    ],
)
def test_a_failed_pip_shows_its_tail_and_what_to_do(
    tmp_path: Path, environment: Environment, monkeypatch: pytest.MonkeyPatch, said: str, advice: str
) -> None:
    fake_pip(monkeypatch, f'[print("line", n) for n in range(50)]; print("""{said}"""); raise SystemExit(2)')
    with pytest.raises(InstallError, match="pip failed with exit code 2") as caught:
        install_project(tmp_path, environment, ())
    assert said.splitlines()[-1].split("\\n")[-1] in caught.value.message
    assert "line 49" in caught.value.message
    assert "line 20" not in caught.value.message
    assert advice in caught.value.hint
    assert str(environment.log) in caught.value.hint
    assert "line 0" in environment.log.read_text()


def test_offline_pip_sees_the_wheels_and_none_of_the_hosts_settings(
    tmp_path: Path, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror")
    monkeypatch.setenv("PIP_CONSTRAINT", "/studio/pins.txt")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    fake_pip(
        monkeypatch,
        "import os, sys; print(sys.argv[1:]); print({n: v for n, v in os.environ.items() if n.startswith('PIP_')})",
    )
    install_project(tmp_path, environment, ("videomama",), Source(tmp_path / "some wheels", ("videomama",)))
    said = environment.log.read_text()
    assert f"'--no-index', '--find-links', '{tmp_path / 'some wheels'}'" in said
    assert "mirror" not in said
    assert "studio" not in said
    assert "'PIP_CONFIG_FILE'" in said
    assert "'PIP_BUILD_CONSTRAINT': 'file://" in said


def test_offline_a_missing_wheel_is_no_question_of_the_network(
    tmp_path: Path, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_pip(monkeypatch, "print('ERROR: No matching distribution found for numpy'); exit(1)")
    with pytest.raises(InstallError, match="No matching distribution") as caught:
        install_project(tmp_path, environment, (), Source(tmp_path))
    assert "bundle has no build" in caught.value.hint
    assert str(environment.log) in caught.value.hint


def test_a_cause_far_above_the_tail_is_shown_too(
    tmp_path: Path, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_pip(monkeypatch, "print('ProxyError'); [print('line', n) for n in range(50)]; print('conflict'); exit(1)")
    with pytest.raises(InstallError, match="conflict") as caught:
        install_project(tmp_path, environment, ())
    assert caught.value.message.splitlines()[1:4] == ["    ProxyError", "    ...", "    line 31"]


def test_a_pip_that_says_nothing_is_told_too(
    tmp_path: Path, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_pip(monkeypatch, "raise SystemExit(5)")
    with pytest.raises(InstallError, match="exit code 5"):
        install_project(tmp_path, environment, ())


def test_only_big_downloads_are_shown(
    tmp_path: Path, environment: Environment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["Collecting numpy", "  Downloading a.whl (12 kB)", "  Downloading b.whl (69.5 MB)"]
    fake_pip(monkeypatch, f"print({chr(10).join(lines)!r})")
    install_project(tmp_path, environment, ())
    assert capsys.readouterr().out == "  Downloading b.whl (69.5 MB)\n"


def test_whole_distributions_stay(tmp_path: Path) -> None:
    metadata = distribution(tmp_path, "torch", files=("torch.py",))
    assert remove_damaged(tmp_path) == []
    assert metadata.is_dir()


@pytest.mark.parametrize("missing", ["torch-1.0.dist-info/RECORD", "torch-1.0.dist-info/INSTALLER", "torch.py"])
def test_a_distribution_that_is_there_in_part_is_forgotten(tmp_path: Path, missing: str) -> None:
    damaged = distribution(tmp_path, "torch", files=("torch.py",))
    whole = distribution(tmp_path, "numpy", files=("numpy.py",))
    (tmp_path / missing).unlink()
    assert remove_damaged(tmp_path) == ["torch-1.0"]
    assert not damaged.exists()
    assert whole.is_dir()


def test_what_pip_moved_aside_is_removed(tmp_path: Path) -> None:
    (tmp_path / "~orch").mkdir()
    (tmp_path / "~orch-1.0.dist-info").mkdir()
    (tmp_path / "~ingle.py").touch()
    assert remove_damaged(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
