import errno

import pytest
from videomama_client.disk_errors import disk_error
from videomama_client.errors import NotPermitted


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (errno.ENOSPC, "no space is left"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "permission was denied"),
        (errno.EPERM, "permission was denied"),
        (errno.ENAMETOOLONG, "too long"),
        (errno.EISDIR, "a folder of that name"),
        (errno.EEXIST, "a file of that name"),
        (errno.ENOTDIR, "is a file, not a folder"),
        (errno.EIO, "the disk failed (broken)"),
    ],
    ids=lambda value: errno.errorcode.get(value, value) if isinstance(value, int) else None,
)
def test_the_file_is_named_with_what_is_wrong_and_what_to_do(code, said):
    told = disk_error(OSError(code, "broken", "/shots/alpha.1001.exr"), "Finished frames are cached.")
    assert type(told) is NotPermitted
    assert told.message.startswith("/shots/alpha.1001.exr: ")
    assert said in told.message
    assert told.hint.endswith(" Finished frames are cached.")
    assert told.file == "/shots/alpha.1001.exr"


def test_an_error_of_no_file_says_what_is_known():
    told = disk_error(OSError("strange"))
    assert (told.message, told.hint, told.file) == ("the disk failed (strange)", "Check the disk and run again.", "")
