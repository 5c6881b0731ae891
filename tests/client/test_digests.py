"""Tests for what a file's bytes are known by."""

from videomama_client.digests import content_digest, file_proof


def test_a_proof_is_of_the_content_and_the_nonce(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"one")
    proofs = {file_proof(path, "a"), file_proof(path, "b")}
    path.write_bytes(b"two")
    proofs.add(file_proof(path, "a"))
    assert len(proofs) == 3
    assert file_proof(path, "a") in proofs


def test_a_content_digest_is_of_every_byte(tmp_path):
    path = tmp_path / "file"
    content = bytearray(3 << 20)
    path.write_bytes(content)
    before = content_digest(path)
    content[-1] = 1
    path.write_bytes(content)
    assert content_digest(path) != before


def test_proof_and_digest_are_what_other_versions_take_for_the_same_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"one")
    assert file_proof(path, "a") == "8a09e80717e85fb5ef6d49a37bf0bcbd"
    assert content_digest(path) == "c88d4df74262143a08e9d190e3bd67f1"


def test_a_proof_reads_the_first_mebibyte_and_no_more(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes((1 << 20) + 1))
    proofs = [file_proof(path, "a")]
    for at in (1 << 20, (1 << 20) - 1):
        content = bytearray((1 << 20) + 1)
        content[at] = 1
        path.write_bytes(content)
        proofs.append(file_proof(path, "a"))
    assert proofs[0] == proofs[1] != proofs[2]
