"""One bad spec a file in tests/errors; its last comment is the exact message."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import run_convcost

from convcost.catalogue.loader import Catalogue
from convcost.errors import ConvcostError
from convcost.language.interpret import build

FOLDER = Path(__file__).parent / "errors"
HELPERS = {"mutual_b.yaml"}  # used by another file of the folder
FILES = sorted(path for path in FOLDER.glob("*.yaml") if path.name not in HELPERS)


def expected(path: Path) -> str:
    """The comment that ends a file."""
    lines = path.read_text("utf-8").rstrip("\n").split("\n")
    comment: list[str] = []
    while lines and lines[-1].startswith("#: "):
        comment.insert(0, lines.pop().removeprefix("#: "))
    return "\n".join(comment) + "\n"


def test_there_are_many() -> None:
    assert len(FILES) > 70


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_message(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    with pytest.raises(ConvcostError) as caught:
        build(Catalogue().target(path.name))
    assert f"{caught.value}\n" == expected(path)


@pytest.mark.parametrize("path", FILES[::9], ids=lambda path: path.stem)
def test_command_says_the_same_and_exits_1(path: Path) -> None:
    result = run_convcost("analyze", path.name, cwd=FOLDER)
    assert (result.code, result.out, result.err) == (1, "", expected(path))
