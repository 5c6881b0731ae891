"""Words what the system says of a file or folder that cannot be used."""

from __future__ import annotations

import errno

from videomama_client.errors import NotPermitted

_DISK = {  # why a file could not be used, and what to do
    errno.ENOSPC: ("no space is left on the disk", "Free some space and run again."),
    errno.EDQUOT: ("your quota of the disk is used up", "Free some space and run again."),
    errno.EROFS: ("the disk is read-only", "Make it writable, or choose another folder, and run again."),
    errno.ENOENT: ("the file or its folder was removed meanwhile", "Run again."),
    errno.EACCES: ("permission was denied", "Check the permissions of its folder and run again."),
    errno.EPERM: ("permission was denied", "Check the permissions of its folder and run again."),
    errno.ENAMETOOLONG: ("the name is too long for the disk", "Choose a shorter name and run again."),
    errno.EEXIST: ("a file of that name is in its place", "Choose another name, or move the file, and run again."),
    errno.EISDIR: ("a folder of that name is in its place", "Choose another name, or move the folder, and run again."),
    errno.ENOTDIR: ("a part of its path is a file, not a folder", "Choose another folder and run again."),
}


def disk_error(error: OSError, kept: str = "") -> NotPermitted:
    """Return what a person is told when a file could not be written, or was removed while it was needed.

    Args:
        error: what the system said.
        kept: a sentence on what is there all the same.
    """
    failed = f"the disk failed ({error.strerror or error})", "Check the disk and run again."
    what, hint = _DISK.get(error.errno or 0, failed)
    file = str(error.filename or "")
    return NotPermitted(f"{f'{file}: ' if file else ''}{what}", f"{hint} {kept}".rstrip(), file=file)
