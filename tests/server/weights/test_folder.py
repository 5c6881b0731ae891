"""The folder of weights is held by one at a time, and what goes wrong in it is told with its name."""

import errno
import os
import threading

import filelock
import pytest
from videomama_client.errors import NotPermitted
from videomama_server.weights import folder as module
from videomama_server.weights.folder import held, remove_leftovers, writing


def never():
    raise AssertionError("nobody else has it")


def test_a_folder_is_made_and_held_and_let_go(tmp_path):
    folder = tmp_path / "deep" / "weights"
    for _ in range(2):
        with held(folder, never) as waited:
            assert not waited
            with pytest.raises(filelock.Timeout):
                filelock.FileLock(str(folder / module._LOCK)).acquire(timeout=0)


def test_it_is_let_go_after_an_error_too(tmp_path):
    with pytest.raises(ZeroDivisionError), held(tmp_path, never):
        raise ZeroDivisionError
    with held(tmp_path, never) as waited:
        assert not waited


def test_who_comes_second_is_told_once_and_waits(tmp_path):
    told, got, let_go = [], [], threading.Event()

    def second():
        def waiting():
            told.append("waits")
            let_go.set()

        with held(tmp_path, waiting) as waited:
            got.append(waited)

    with held(tmp_path, never):
        thread = threading.Thread(target=second)
        thread.start()
        assert let_go.wait(60)
        assert got == []
    thread.join(60)
    assert (told, got) == (["waits"], [True])


def test_a_file_system_without_locks_is_worked_on_without(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise NotImplementedError

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    with held(tmp_path / "new", never) as waited:
        assert not waited


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_to_be_full(tmp_path, number):
    with pytest.raises(NotPermitted, match=f"the disk of {tmp_path} is full") as caught, writing(tmp_path):
        raise OSError(number, os.strerror(number))
    assert "Free some space" in caught.value.hint


def test_other_errors_name_the_file_or_else_the_folder(tmp_path):
    with pytest.raises(NotPermitted, match=r"cannot write /x/y: Permission denied") as caught, writing(tmp_path):
        raise PermissionError(errno.EACCES, "Permission denied", "/x/y")
    assert "--to DIR" in caught.value.hint
    with pytest.raises(NotPermitted, match=f"cannot write {tmp_path}: odd"), writing(tmp_path):
        raise OSError("odd")


def test_only_what_a_killed_process_left_is_removed(tmp_path):
    (tmp_path / "unet").mkdir()
    (tmp_path / ".videomama-folder").mkdir()
    names = [".videomama-0123.json", "unet/.videomama-9.safetensors", module._LOCK, "unet/model.safetensors", ".part"]
    for name in names:
        (tmp_path / name).write_text("")
    remove_leftovers(tmp_path)
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert left == [".part", module._LOCK, "unet/model.safetensors"]
