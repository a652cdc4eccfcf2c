"""Numbers that one command keeps for the next: used if nothing has changed, and never in place of a changed number."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from conftest import ROOT, one_command
from test_laws import FILES, PACKAGE, room, run_time_imports

from convcost import explain, process, verify
from convcost.building import write_numbers
from convcost.catalogue import loader, ready
from convcost.catalogue.loader import Catalogue, Heads, bundled_names
from convcost.literature import store
from convcost.literature.claims import claims
from convcost.literature.numbers import Book
from convcost.literature.store import ROOMS, VERIFY, opened
from convcost.literature.verify import findings, with_figures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOUR = 3600
PAPER = 60_000  # LeCun et al., 1998, section II.B


class Checkout:
    """A copy of the package, as old as an hour, whose files a test may change."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.cache = top / "cache"
        for name in ("convcost", "specs"):
            shutil.copytree(ROOT / name, top / name, ignore=shutil.ignore_patterns("__pycache__"))
        for path in top.rglob("*.*"):
            self.age(path)

    def age(self, path: Path) -> None:
        moment = path.stat().st_mtime - HOUR
        os.utime(path, (moment, moment))

    def change(self, name: str, before: str, after: str) -> None:
        path = self.top / name
        text = path.read_text()
        assert text.count(before) >= 1
        path.write_text(text.replace(before, after, 1))
        self.age(path)

    def run(self, *command: str, cache: str | None = None) -> Any:
        """The data that a command writes; a figure that does not follow makes its exit code 1."""
        env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(self.top),
            "PYTHONPYCACHEPREFIX": str(self.top / "compiled"),
            ready.SWITCH: str(self.cache) if cache is None else cache,
        }
        line = [sys.executable, "-m", "convcost", *command, "--format", "json"]
        done = subprocess.run(line, env=env, cwd=self.top, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        return json.loads(done.stdout)

    def verified(self) -> int:
        """The parameters of LeNet-5 as `verify` counts them."""
        ours = self.run("verify", "lenet5")["specs"][0]["findings"][0]["ours"]
        assert isinstance(ours, int)
        return ours

    def explained(self, **options: str) -> int:
        """The parameters of LeNet-5 as `explain` counts them."""
        count = self.run("explain", "lenet5", "--reported", "60000", "--in", "params", **options)["default"]
        assert isinstance(count, int)
        return count

    def falsify(self, record: str, before: str, after: str) -> None:
        """Another number in a record, which then looks as if it had been written so."""
        path = self.cache / record
        key, _, rest = path.read_bytes().partition(b"\0")
        content = rest[8:].decode()
        assert before in content
        content = content.replace(before, after)
        path.write_bytes(key + b"\0" + ready._checksum(content.encode()) + content.encode())  # noqa: SLF001


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout(tmp_path_factory.mktemp("checkout"))


def test_a_number_is_read_from_the_record_until_a_spec_or_a_rule_changes(checkout: Checkout) -> None:
    assert checkout.verified() == checkout.explained() == PAPER
    for record in ("verify-lenet5", "explain-lenet5"):
        checkout.falsify(record, str(PAPER), "59999")
    assert checkout.verified() == checkout.explained() == 59_999  # so the records are read
    assert checkout.explained(cache="") == PAPER

    checkout.change("specs/lenet5.yaml", "linear: {out: 84}", "linear: {out: 85}")
    larger = PAPER + 120 + 1  # a unit more, which reads the 120 maps of C5
    assert checkout.verified() == larger

    checkout.change("convcost/layers/conv.py", "weights=weights,", "weights=2 * weights,")
    doubled = larger + 25 * (6 + 60 + 120 * 16)  # kernels of 5x5: of C1, of C3 by Table I, and of C5
    assert checkout.explained() == doubled


def test_nothing_is_recorded_while_a_file_of_the_package_changes(checkout: Checkout) -> None:
    shutil.rmtree(checkout.cache, ignore_errors=True)
    os.utime(checkout.top / "convcost" / "layers" / "norm.py")
    checkout.verified()
    assert not [path for path in checkout.cache.iterdir() if path.name.startswith("verify-")]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """As if this process were one command, with a cache folder of its own."""
    monkeypatch.setattr(store, "_changing", lambda: False)
    with one_command(tmp_path):
        yield tmp_path


def records(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith(("verify-", "explain-")))


def test_commands_record_the_numbers_of_bundled_networks_as_they_are(command: Path) -> None:
    verify("lenet5")
    explain("lenet5", "60000")
    explain("lenet5", "60000", classes=11)  # a record of all that somebody asks for would grow without end
    assert records(command) == ["explain-lenet5", "verify-lenet5"]


def test_a_program_that_imports_the_package_uses_no_records(command: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_began", [])
    verify("lenet5")
    explain("lenet5", "60000")
    assert records(command) == []


def test_plug_ins_use_no_records(command: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "any_loaded", lambda: True)
    verify("lenet5")
    assert records(command) == []


def test_a_package_without_the_text_of_its_code_uses_no_records(
    command: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = tmp_path_factory.mktemp("compiled")
    for folder in (compiled, compiled / "missing"):
        monkeypatch.setattr(store, "package_folder", lambda _, folder=folder: str(folder))
        store.sources.cache_clear()
        verify("lenet5")
    store.sources.cache_clear()
    assert records(command) == []


def test_files_of_the_user_have_no_records(command: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "_bundled", {})
    own = tmp_path / "lenet5.yaml"
    own.write_bytes((ROOT / "specs" / "lenet5.yaml").read_bytes())
    link = tmp_path / "vgg16.yaml"
    link.symlink_to(ROOT / "specs" / "lenet5.yaml")
    verify(str(own))
    verify(str(link))
    assert records(command) == []


def test_a_wheel_has_the_numbers_of_published_figures(
    command: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("trees")
    write_numbers(str(folder), ["lenet5", "alexnet"])
    monkeypatch.setattr(ready, "SHIPPED", str(folder))
    for name in ("lenet5", "alexnet"):
        spec = Catalogue().target(name)
        counted = Book(partial(Catalogue().target, name))
        expected = findings(spec, counted)
        shipped = opened(name, VERIFY, pytest.fail)
        assert shipped.pages == counted.pages
        assert findings(spec, shipped) == expected
        assert not shipped.grown
    monkeypatch.setattr(store, "sources", lambda: b"changed")
    assert opened("lenet5", VERIFY, pytest.fail).pages == {}
    assert records(command) == []


def test_records_are_made_of_all_that_makes_numbers() -> None:
    files = [path for path in FILES if path.parent.name in ROOMS]
    reached = {room(module) for path in files for module in run_time_imports(path)}
    top = {path.stem for path in FILES if path.parent == PACKAGE}
    assert reached - {*ROOMS, *top} == {"importers", "tables"}  # models of other tools have no records
    assert {path.parent for path in files} == {PACKAGE / name for name in ROOMS if name}  # no code in a folder below


def test_a_head_has_the_claims_of_the_linked_spec() -> None:
    heads, catalogue = Heads(), Catalogue()
    published = [name for name in bundled_names() if catalogue.target(name).published is not None]
    assert with_figures() == published
    for name in published:
        head, spec = heads.named(name), catalogue.target(name)
        assert claims(head) == claims(spec)
        for stated in ("name", "title", "notes", "names", "family", "year", "source"):
            assert getattr(head, stated) == getattr(spec, stated)
