"""Files of options: what is read of them, and the sentence for every file that cannot be."""

import json

import pytest
from videomama_client.errors import BadInput, NotPermitted
from videomama_server.batch import option_file


@pytest.fixture
def read(tmp_path):
    """Write a file and read it: `read("a.yaml", "plate: x")`."""

    def call(name, text):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return option_file.read(path)

    return call


def test_scalars_of_yaml_stay_the_text_that_was_written(read):
    file = read(
        "a.yaml", "version: 003\nframes: 1010\nsay: no\nrehash: yes\nwhen: 2024-01-01\nx: 1.50\nmask: ~\nout:\n"
    )
    assert file.content == {
        "version": "003",
        "frames": "1010",
        "say": "no",
        "rehash": "yes",
        "when": "2024-01-01",
        "x": "1.50",
        "mask": None,
        "out": None,
    }


def test_json_and_yaml_of_the_same_words_are_read_alike(read):
    words = {"plate": "a b.exr", "grow": -2.5, "then": ["x", 'y "z"'], "set": {"share": 0.1}, "rehash": True, "a": None}
    text = json.dumps(words)
    assert read("a.json", text).content == read("a.yaml", text).content
    assert read("a.json", text).content["grow"] == "-2.5"


def test_keys_know_their_lines(read):
    file = read("a.yaml", "defaults:\n  plate: x\nshots:\n  - shot: a\n  - shot: b\n    mask: y\n")
    assert file.where("defaults", "plate").endswith("a.yaml, line 2")
    assert file.where("shots", "1", "mask").endswith("a.yaml, line 6")
    assert file.where("shots", "1", "nothing").endswith("a.yaml, line 5")
    assert file.where("nothing").endswith("a.yaml")


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3: the key 'a' is there twice"),
        ("a:\n  b: 1\n  b: 2\n", "line 3: the key 'b' is there twice"),
        (BOMB, "the aliases stand for more than 200,000 values"),
        ("a: &x [*x]\n", "line 1: maps and lists are nested too deep"),
        ("a: &x {b: *x}\n", "nested too deep"),
        ("[" * 20_000, "is nested too deep"),
        ("a: !!python/object/apply:os.system [ls]\n", "line 1: values of the type"),
        ("a: !!binary aGk=\n", "line 1: values of the type"),
        ("a: !mine x\n", "line 1: values of the type"),
        ("? [1, 2]\n: 3\n", "line 1: a key must be text"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "line 3: merge keys (<<) are not supported"),
        ("a: b: c\n", "line 1: not valid YAML"),
        ("a: 1\n\tb: 2\n", "line 2: not valid YAML"),
        ("a: 'x\n", "not valid YAML"),
        ("a: 1\n---\nb: 2\n", "not valid YAML"),
        ("a: \x01\n", "not valid YAML"),
        ("", "holds nothing"),
        ("# nothing\n", "holds nothing"),
        ("- a\n", "must be a map of options"),
        ("word\n", "must be a map of options"),
        (b"\xff\xfe\xfa", "is not text in UTF-8"),
    ],
)
def test_yaml_that_cannot_be_read_has_a_sentence_with_its_line(read, text, said):
    with pytest.raises(BadInput) as refused:
        read("shots.yaml", text)
    assert said in refused.value.message
    assert "shots.yaml" in refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1, "a": 2}', "the key 'a' is there twice"),
        ('{"a": ', "line 1: not valid JSON"),
        ("[" * 100_000, "nested too deep"),
        ("[1]", "must be a map"),
        ("{}", "holds nothing"),
    ],
)
def test_json_that_cannot_be_read_has_a_sentence(read, text, said):
    with pytest.raises(BadInput, match=said):
        read("a.json", text)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_row_of_a_table_is_a_shot(read, delimiter):
    lines = [("shot", "plate", "say"), ("sh1", "a.exr", '"x, ""y""; z\tw"'), ("", "", ""), ("sh2", "", "")]
    file = read("a.csv", "\ufeff" + "\r\n".join(delimiter.join(line) for line in lines))
    assert file.content == {"shots": [{"shot": "sh1", "plate": "a.exr", "say": 'x, "y"; z\tw'}, {"shot": "sh2"}]}
    assert file.where("shots", "1").endswith("a.csv, line 4")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("shot,plate\na,b,c\n", "line 2: 3 cells, and there are 2 columns"),
        ("shot,shot\na,b\n", "'shot' is there twice"),
        ("shot,,x\na,b,c\n", "column 2 has no name"),
        ("shot,plate\n", "holds no shots"),
        ("", "holds no shots"),
        ('shot,plate\na,"b\n', "not valid CSV"),
    ],
)
def test_a_table_that_cannot_be_read_has_a_sentence(read, text, said):
    with pytest.raises(BadInput, match=said):
        read("a.csv", text)


def test_files_that_are_not_there_or_of_another_kind_are_named(tmp_path, monkeypatch):
    with pytest.raises(BadInput, match=r"none\.yaml is not there"):
        option_file.read(tmp_path / "none.yaml")
    with pytest.raises(BadInput, match=r"shots\.toml is not a file of options"):
        option_file.read(tmp_path / "shots.toml")
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(NotPermitted):
        option_file.read(tmp_path / "folder.yaml")
    monkeypatch.setattr(option_file, "_MOST_BYTES", 10)
    (tmp_path / "large.yaml").write_text("a: 1234567890\n")
    with pytest.raises(BadInput, match="has more than"):
        option_file.read(tmp_path / "large.yaml")
