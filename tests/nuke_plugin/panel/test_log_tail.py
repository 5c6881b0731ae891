"""The end of a growing log."""

from videomama_nuke.panel import log_tail
from videomama_nuke.panel.log_tail import LINES, LogTail


def test_the_last_lines_of_a_long_file_are_whole(tmp_path):
    file = tmp_path / "server.log"
    file.write_text("".join(f"line {number} {'x' * 900}\n" for number in range(500)))
    named, lines = LogTail().read(str(file), tmp_path / "none.log")
    assert named == str(file)
    assert 0 < len(lines) <= LINES
    assert lines[-1].startswith("line 499 ")
    assert all(line.startswith("line ") for line in lines)


def test_no_more_than_two_hundred_lines_are_kept(tmp_path):
    file = tmp_path / "server.log"
    file.write_text("".join(f"{number}\n" for number in range(1000)))
    assert LogTail().read(str(file), file)[1] == tuple(str(number) for number in range(800, 1000))


def test_new_lines_are_seen(tmp_path):
    file, tail = tmp_path / "server.log", LogTail()
    file.write_text("one\n")
    assert tail.read("", file)[1] == ("one",)
    with file.open("a") as log:
        log.write("two\n")
    assert tail.read("", file)[1] == ("one", "two")


def test_a_log_of_another_machine_falls_back_to_the_one_beside_the_connection_file(tmp_path):
    file = tmp_path / "connection.log"
    file.write_text("here\n")
    assert LogTail().read("/nowhere/server.log", file) == (str(file), ("here",))


def test_no_log_at_all_is_said_so(tmp_path):
    assert LogTail().read("", tmp_path / "none.log") == ("", ())


def test_odd_bytes_do_no_harm(tmp_path):
    file = tmp_path / "server.log"
    file.write_bytes(b"caf\xe9\n")
    assert LogTail().read(str(file), file)[1] == ("caf\ufffd",)


def test_a_log_that_has_not_changed_is_not_read_again(tmp_path, monkeypatch):
    file, tail = tmp_path / "server.log", LogTail()
    file.write_text("one\n")
    read = []
    real = log_tail._last_lines
    monkeypatch.setattr(log_tail, "_last_lines", lambda content, cut: read.append(len(content)) or real(content, cut))
    for _ in range(3):
        assert tail.read("", file)[1] == ("one",)
    assert read == [4]
    other = tmp_path / "other.log"
    other.write_text("two\n")
    assert tail.read("", other)[1] == ("two",)


def test_the_first_line_is_kept_where_the_file_is_read_whole_and_dropped_where_it_is_cut(tmp_path):
    file = tmp_path / "server.log"
    line = "x" * 1023 + "\n"
    for count, kept in ((128, 128), (129, 127)):
        file.write_text(line * count)
        assert len(LogTail().read("", file)[1]) == kept
    file.write_text("y" * 2 * log_tail._BYTES)
    assert LogTail().read("", file)[1] == ("y" * log_tail._BYTES,)
