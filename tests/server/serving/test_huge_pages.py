"""The worker's large blocks of memory come in huge pages, where the system has them."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from videomama_server.serving.huge_pages import with_huge_pages

ENABLED = Path("/sys/kernel/mm/transparent_hugepage/enabled")
ASKED = """
block = bytearray(64 << 20)
print(sum(line.startswith("VmFlags:") and " hg" in line for line in open("/proc/self/smaps")))
"""


def on(monkeypatch, system):
    monkeypatch.setattr(sys, "platform", system)


def test_the_wish_stands_beside_what_is_set_already(monkeypatch):
    on(monkeypatch, "linux")
    assert with_huge_pages({"A": "1"}) == {"A": "1", "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
    both = with_huge_pages({"GLIBC_TUNABLES": "glibc.malloc.check=3"})
    assert both == {"GLIBC_TUNABLES": "glibc.malloc.check=3:glibc.malloc.hugetlb=1"}


def test_who_has_chosen_pages_keeps_them(monkeypatch):
    on(monkeypatch, "linux")
    chosen = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=0"}
    assert with_huge_pages(chosen) == chosen


@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_other_systems_get_no_wish(monkeypatch, system):
    on(monkeypatch, system)
    assert with_huge_pages({"A": "1"}) == {"A": "1"}


def _heeded():
    library, version = platform.libc_ver()
    if library != "glibc" or tuple(map(int, version.split(".")[:2])) < (2, 35) or not ENABLED.exists():
        return False
    return "[madvise]" in ENABLED.read_text()


@pytest.mark.skipif(not _heeded(), reason="this system has no huge pages for who asks for them")
def test_a_large_block_asks_for_huge_pages():
    def asked(variables):
        words = [sys.executable, "-I", "-c", ASKED]
        return int(subprocess.run(words, env=variables, check=True, capture_output=True, text=True).stdout)

    plain = {**os.environ, "GLIBC_TUNABLES": ""}
    assert asked(plain) == 0
    assert asked(with_huge_pages(plain)) >= 1
