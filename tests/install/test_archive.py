from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import archive
import pytest
from archive import MANIFEST, Manifest, Share, opened, write
from failure import InstallError
from targets import Target

CONTENTS = {"project/a.py": b"print()\n", "wheels/x-1-py3-none-any.whl": b"wheel" * 1000, "project/gr\xfcn.md": b""}
MADE = Manifest("1.2", ("videomama",), (Share(Target("linux", "3.11"), ("x-1-py3-none-any.whl",), 7),), ("cp39-linux",))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "bundle.zip"
    write(path, MADE, CONTENTS)
    return path


def rewrite(path: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """Make the zip anew with changed members, so that the zip itself has nothing to complain about."""
    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w") as new:
        for name, data in members.items():
            new.writestr(name, data)


def verify(path: Path) -> None:
    with opened(path) as bundle:
        bundle.verify()


def test_what_is_written_is_read(bundle: Path, tmp_path: Path) -> None:
    with opened(bundle) as found:
        found.verify()
        assert (found.manifest.version, found.manifest.extras) == ("1.2", ("videomama",))
        assert (found.manifest.shares, found.manifest.libraries) == (MADE.shares, MADE.libraries)
        assert found.manifest.names("project/") == ["project/a.py", "project/grün.md"]
        assert found.manifest.size(found.manifest.members) == 5008
        assert found.read("project/a.py") == b"print()\n"
        found.unpack("wheels/x-1-py3-none-any.whl", tmp_path / "new" / "x.whl")
    assert (tmp_path / "new" / "x.whl").read_bytes() == b"wheel" * 1000


def test_the_same_content_gives_the_same_bytes(bundle: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(b"print()\n")
    write(tmp_path / "again.zip", MADE, {**dict(reversed(CONTENTS.items())), "project/a.py": file})
    assert (tmp_path / "again.zip").read_bytes() == bundle.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.py", "again.zip", "bundle.zip"]


def test_large_members_and_large_zips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The limits of a zip without zip64, brought down so that kilobytes cross them.
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 2000)
    monkeypatch.setattr(archive, "_ZIP64_FROM", 2000)
    write(tmp_path / "large.zip", MADE, CONTENTS)
    verify(tmp_path / "large.zip")


def test_a_write_that_fails_leaves_what_was_there(bundle: Path, tmp_path: Path) -> None:
    before = bundle.read_bytes()
    with pytest.raises(InstallError, match="could not be written"):
        write(bundle, MADE, {**CONTENTS, "z": tmp_path / "gone"})
    assert bundle.read_bytes() == before
    assert list(tmp_path.iterdir()) == [bundle]


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06"])
def test_no_zip_is_no_bundle(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "b.zip").write_bytes(content)
    with pytest.raises(InstallError, match=r"b\.zip is not a bundle, or only a part of one"):
        verify(tmp_path / "b.zip")


def test_a_cut_bundle_is_told(bundle: Path) -> None:
    bundle.write_bytes(bundle.read_bytes()[:-100])
    with pytest.raises(InstallError, match="only a part"):
        verify(bundle)


def test_missing_and_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(InstallError, match="There is no file"):
        verify(tmp_path / "gone.zip")
    with pytest.raises(InstallError, match="not a bundle"):
        verify(tmp_path)


def test_another_zip_is_no_bundle(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("readme", "hello")
    with pytest.raises(InstallError, match=f"it has no {MANIFEST}"):
        verify(tmp_path / "other.zip")


def test_a_flipped_bit_names_the_member(bundle: Path) -> None:
    data = bytearray(bundle.read_bytes())
    data[data.index(b"wheelwheel") + 100] ^= 1
    bundle.write_bytes(data)
    with pytest.raises(InstallError, match=r"is damaged: wheels/x-1-py3-none-any\.whl") as caught:
        verify(bundle)
    assert "Copy the file again" in caught.value.hint


def test_a_member_that_was_exchanged_is_never_whole_on_disk(bundle: Path, tmp_path: Path) -> None:
    rewrite(bundle, lambda members: members.update({"project/a.py": b"print(1"}))
    with opened(bundle) as found, pytest.raises(InstallError, match=r"damaged: project/a\.py"):
        found.unpack("project/a.py", tmp_path / "a.py")


@pytest.mark.parametrize("name", ["extra.txt", "project/../../evil"])
def test_a_member_that_the_manifest_does_not_say_is_refused(bundle: Path, name: str) -> None:
    rewrite(bundle, lambda members: members.update({name: b""}))
    with pytest.raises(InstallError, match="holds what its manifest does not say"):
        verify(bundle)


@pytest.mark.parametrize("name", ["/etc/passwd", "project/../../evil", "C:/evil", "project\\..\\evil"])
def test_a_name_that_leads_out_is_refused_even_when_it_is_said(tmp_path: Path, name: str) -> None:
    write(tmp_path / "evil.zip", MADE, {**CONTENTS, name: b""})
    with pytest.raises(InstallError, match="holds what its manifest does not say"):
        verify(tmp_path / "evil.zip")


def test_a_missing_member_is_named(bundle: Path) -> None:
    rewrite(bundle, lambda members: members.pop("project/a.py"))
    with pytest.raises(InstallError, match=r"lacks project/a\.py"):
        verify(bundle)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is damaged"),
        ("[]", "another release"),
        ('{"format": 2}', "another release"),
        ('{"format": 1}', "is damaged"),
        ('{"format": 1, "members": 3}', "is damaged"),
    ],
)
def test_a_senseless_manifest_is_told(bundle: Path, text: str, said: str) -> None:
    rewrite(bundle, lambda members: members.update({MANIFEST: text.encode()}))
    with pytest.raises(InstallError, match=said):
        verify(bundle)


def test_a_share_of_wheels_that_are_not_there_is_damage(bundle: Path) -> None:
    def change(members: dict[str, bytes]) -> None:
        fields = json.loads(members[MANIFEST])
        fields["targets"][0]["wheels"] = ["gone.whl"]
        members[MANIFEST] = json.dumps(fields).encode()

    rewrite(bundle, change)
    with pytest.raises(InstallError, match="is damaged"):
        verify(bundle)
