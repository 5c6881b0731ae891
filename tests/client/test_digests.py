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
