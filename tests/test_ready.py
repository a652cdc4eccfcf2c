"""Ready trees of bundled files: equal to what the parser makes, of exactly this text, and never in the way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from convcost.api import list_specs, specs
from convcost.building import bundled_files, write_files
from convcost.catalogue import ready
from convcost.catalogue.loader import SPECS, all_bytes, bundled_names
from convcost.language.flat import flattened, grown
from convcost.language.tree import Mapping, Scalar, Sequence
from convcost.language.yaml import read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from convcost.language.tree import Node

PATH = ROOT / "specs" / "lenet5.yaml"
LABEL, TEXT = "specs/lenet5.yaml", PATH.read_bytes()


def plain(node: Node) -> Any:
    """Everything that is in a tree."""
    place = (type(node), node.file, node.line, node.column)
    if isinstance(node, Scalar):
        return (*place, node.text, node.quoted)
    if isinstance(node, Sequence):
        return (*place, [plain(item) for item in node.items])
    assert all(node.get(key.text) is value for key, value in node.entries)
    return (*place, [(plain(key), plain(value)) for key, value in node.entries])


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache folder of its own, which does not exist yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv(ready.SWITCH, str(folder))
    ready._folder.cache_clear()  # noqa: SLF001 - it is asked once a process
    yield folder
    ready._folder.cache_clear()  # noqa: SLF001


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ready")
    write_files(str(folder))
    return folder


def test_a_wheel_has_the_tree_of_every_bundled_file(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ready, "SHIPPED", str(shipped))
    ready._folder.cache_clear()  # noqa: SLF001
    yaml = {*(ROOT / "specs").rglob("*.yaml"), *(ROOT / "convcost").rglob("*.yaml")}
    paths = [Path(path) for _, path in bundled_files()]
    assert set(paths) == yaml
    assert len(paths) == len(yaml)
    for files, path in bundled_files():
        label, data = files.label(path), files.bytes(path)
        tree = ready.find(label, data)
        assert tree is not None
        assert plain(tree) == plain(read(data, label))
        assert ready.find(label, data + b"#") is None
    ready._folder.cache_clear()  # noqa: SLF001


def trees(depth: int = 3) -> st.SearchStrategy[Node]:
    place = st.tuples(st.integers(1, 0xD7FF), st.integers(1, 300))
    words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5)
    scalars = st.builds(lambda at, text, quoted: Scalar("f", *at, text, quoted=quoted), place, words, st.booleans())
    if depth == 0:
        return scalars
    inner = trees(depth - 1)

    def listed(at: tuple[int, int], items: list[Node]) -> Node:
        node = Sequence("f", *at)
        node.written += items
        return node

    def mapped(at: tuple[int, int], entries: list[tuple[Scalar, Node]]) -> Node:
        node = Mapping("f", *at)
        for key, value in entries:
            node.put(key, value)
        return node

    pairs = st.lists(st.tuples(scalars, inner), max_size=3, unique_by=lambda pair: pair[0].text)
    return scalars | st.builds(listed, place, st.lists(inner, max_size=3)) | st.builds(mapped, place, pairs)


@given(trees())
def test_a_tree_grows_again_from_its_text(tree: Node) -> None:
    assert plain(grown(flattened(tree), "f")) == plain(tree)


def test_a_text_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(ValueError, match="zero"):
        flattened(Scalar("f", 1, 1, "a\0b", quoted=True))
    with pytest.raises(UnicodeEncodeError):
        flattened(Scalar("f", 0xD800, 1, "a", quoted=True))


def test_a_record_is_of_exactly_this_text_and_file(cache: Path) -> None:
    assert ready.find(LABEL, TEXT) is None
    tree = SPECS.tree(str(PATH))
    assert len(list(cache.iterdir())) == 1
    again = ready.find(LABEL, TEXT)
    assert again is not None
    assert again is not tree
    assert plain(again) == plain(tree)
    assert ready.find(LABEL, TEXT + b" ") is None
    assert ready.find("specs/lenet300.yaml", TEXT) is None


def test_a_change_of_the_reader_makes_old_records_useless(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    SPECS.tree(str(PATH))
    assert ready.find(LABEL, TEXT) is not None
    monkeypatch.setattr(ready, "readers", lambda: "another time")
    assert ready.find(LABEL, TEXT) is None
    assert cache.is_dir()


@pytest.mark.parametrize("damage", [lambda data: data[:0], lambda data: data[:-3], lambda data: data[:-1] + b"?"])
def test_a_damaged_record_is_not_used(damage: Callable[[bytes], bytes], cache: Path) -> None:
    SPECS.tree(str(PATH))
    (record,) = cache.iterdir()
    record.write_bytes(damage(record.read_bytes()))
    assert ready.find(LABEL, TEXT) is None
    assert plain(SPECS.tree(str(PATH))) == plain(read(TEXT, LABEL))  # and it is written again
    assert ready.find(LABEL, TEXT) is not None


def test_files_of_the_user_are_not_recorded(cache: Path, tmp_path: Path) -> None:
    own = tmp_path / "lenet5.yaml"
    own.write_bytes(TEXT)
    SPECS.tree(str(own))
    assert not cache.exists()


def run(folder: str) -> tuple[str, bool]:
    """Output of a command with this cache folder, and whether it has loaded PyYAML."""
    program = (
        "import sys\nfrom convcost.cli import main\nsys.argv = ['convcost', 'analyze', 'lenet5']\n"
        "try:\n    main()\nexcept SystemExit:\n    print('yaml' in sys.modules)\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT), ready.SWITCH: folder}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
    table, loaded = done.stdout.rstrip("\n").rsplit("\n", 1)
    return table, loaded == "True"


def test_the_second_command_loads_no_yaml_and_prints_the_same(tmp_path: Path) -> None:
    folder = str(tmp_path / "new" / "cache")
    table, loaded = run(folder)
    assert loaded
    assert run(folder) == (table, False)
    assert run("") == (table, True)
    assert run("/dev/null/no/folder") == (table, True)


def test_the_list_is_recorded_and_equal_to_what_is_counted(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = list(list_specs())
    assert any(path.name.startswith("list-") for path in cache.iterdir())
    monkeypatch.setattr(specs, "counted", None)  # nothing is counted again
    assert list(list_specs()) == first
    assert [entry.name for entry in list_specs(blocks=True)] == [
        entry.name for entry in first if entry.family == "blocks"
    ]
    listed = {entry.name: entry.params for entry in first}
    assert (listed["resnet50"], listed["vgg16"]) == (25_557_032, 138_357_544)  # as torchvision documents them
    assert set(listed) == set(bundled_names())


@pytest.mark.parametrize("changed", ["spec", "code", "plug-in", "convention"])
def test_a_recorded_list_is_never_stale(changed: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, calls = all_bytes(SPECS), []
    ready.record(specs.LIST, data, "x", ready.counting)
    assert ready.content_of(specs.LIST, data, ready.counting) == "x"
    monkeypatch.setattr(specs, "counted", lambda **asked: calls.append(asked) or [])
    if changed == "spec":
        monkeypatch.setattr(specs, "all_bytes", lambda _: data + b" ")
    elif changed == "code":
        monkeypatch.setattr(ready, "counting", lambda: "another time")
    elif changed == "plug-in":
        monkeypatch.setattr(specs, "any_loaded", lambda: True)
    assert list(list_specs(convention="macs" if changed == "convention" else "convcost")) == []
    assert len(calls) == 1
    assert cache.is_dir()


def test_a_wheel_has_the_list(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ready, "SHIPPED", str(shipped))
    ready._folder.cache_clear()  # noqa: SLF001
    text = ready.content_of(specs.LIST, all_bytes(SPECS), ready.counting)
    ready._folder.cache_clear()  # noqa: SLF001
    assert text is not None
    assert specs.from_text(text) == specs.counted()


def test_all_code_that_counts_a_spec_is_in_the_rooms_whose_state_a_record_of_the_list_has() -> None:
    program = (
        "import sys\nfrom convcost.api.specs import counted\ncounted(blocks=True)\n"
        "print(*(name for name in sys.modules if name.startswith('convcost.')))\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
    rooms = {name.split(".")[1] for name in done.stdout.split() if name.count(".") > 1}
    assert {"language", "layers", "network"} <= rooms <= set(ready.ROOMS)
