"""Steps in one line are read once for equal texts; everything is as if each had been read where it is written."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_ready import plain

from convcost.catalogue.loader import Catalogue
from convcost.errors import ConvcostError, SpecError
from convcost.language import lines, yaml
from convcost.language.interpret import build
from convcost.language.tree import Line, Mapping, Sequence

HEAD = """\
input: [8, 16, 16]
parameters: {a: 2}
blocks:
  unit:
    parameters: {M: 4}
    layers:
      - conv: {out: M, kernel: 3}
      - conv: {out: M, kernel: 3}
layers:
"""
STEPS = st.sampled_from(
    [
        *["- conv: {out: 8, kernel: 3}"] * 3,
        *["- unit: {M: 4}"] * 3,
        "- conv: {out: 2*a, kernel: [3, 1]}",
        "- group_norm: {groups: a}",
        "- max_pool: {kernel: 2}",
        "- relu",
    ]
)
WRONG = st.sampled_from(
    [
        "- conv: {out: 8, kernel: 99, padding: valid}",  # the layer refuses its input
        "- unit: {M: 0}",  # in a block, by an argument
        "- group_norm: {groups: 3}",
        "- conv: {out: q, kernel: 3}",  # no such name
        "- conv: {out: 8, kernal: 3}",
        "- unit: {Z: 4}",
        "- cov: {out: 8}",
        "- conv: {out: 8, out: 8, kernel: 3}",
        "- conv: {out: 8, kernel: [3, -1]}",
        "- unit: {M: nothing.c}",
    ]
)
PIECES = st.sampled_from(
    [
        *("input: [8, 16, 16]", "layers:", "notes: |", "notes: >", "title: 'a", "'", "# a comment", "", "? a", ": b"),
        *("  - conv: {out: 8, kernel: 3}", "  - conv: {out: 8, kernel: 3}", "- conv: {out: 8, kernel: 3}"),
        *(
            "      - relu: {}",
            "   - relu: {}",
            "  - - relu: {}",
            "  - relu: {}  # why",
            "  - relu: {}\r",
            "\t- relu: {}",
        ),
        *(
            "  - relu",
            "  - do:",
            "    repeat: 2",
            "    name: a",
            "  # another",
            "  - conv:",
            "      out: 8",
            "---",
            "...",
        ),
        *("  - conv: {out: (8, kernel: 3}", "  - conv: {out: [8, kernel: 3}", "  - \ue000", "\ue000", "[", "]", "{"),
    ]
)


def outcome(text: str) -> Any:
    """All that a text leads to: the tree, the graph and warnings, or an error."""
    made: list[Any] = []
    try:
        made.append(plain(yaml.read(text.encode(), "net.yaml")))
        catalogue = Catalogue()
        spec = catalogue.text(text.encode(), "net.yaml", "net", os.getcwd())
        made.append(catalogue.warnings.all)
        made.append([(node.path, node.position, node.shape, node.work.as_dict()) for node in build(spec).nodes])
    except ConvcostError as error:
        made.append(str(error))
    return made


@given(st.lists(st.one_of(STEPS, STEPS, STEPS, WRONG), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_a_step_means_the_same_whether_its_line_is_like_others_or_unlike_all(written: list[str]) -> None:
    """A comment after each step makes no two lines alike, and moves nothing."""
    alike = HEAD + "".join(f"  {step}\n" for step in written)
    apart = "".join(f"{line} # {number}\n" for number, line in enumerate(alike.splitlines()))
    assert not lines.shortened(apart)[1]
    assert outcome(alike) == outcome(apart)


@given(st.lists(PIECES, min_size=1, max_size=12))
@settings(max_examples=150, deadline=None)
def test_a_line_that_only_looks_like_a_step_is_read_as_what_it_is(written: list[str]) -> None:
    """In texts over several lines, in comments, with more of the step below it."""
    text = "\n".join(written)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml, "shortened", lambda text: (text, []))
        expected = outcome(text)
    assert outcome(text) == expected


@pytest.mark.parametrize(
    ("step", "column"),
    [
        ("- conv: {out: 8, kernel: 99, padding: valid}", 28),
        ("- conv: {out: 8, kernel: 3, gruops: 2}", 31),
        ("- conv: {out: q, kernel: 3}", 17),
    ],
)
def test_an_error_in_one_of_many_equal_lines_has_its_line(step: str, column: int) -> None:
    text = HEAD + "  - conv: {out: 8, kernel: 3}\n" * 700 + f"  {step}\n" * 3
    first = text.count("\n") - 2
    with pytest.raises(SpecError) as error:
        build(Catalogue().text(text.encode(), "net.yaml", "net", os.getcwd()))
    places = [(problem.position.line, problem.position.column) for problem in error.value.problems]
    assert places == [(line, column) for line in range(first, first + 3)][: len(places)]


def test_the_same_line_is_a_layer_in_one_spec_and_a_block_in_another() -> None:
    own = "input: [8, 4, 4]\nblocks:\n  wide: [conv: {out: 8, kernel: 1}]\nlayers:\n  - wide: {}\n  - wide: {}\n"
    other = own.replace("out: 8", "out: 5")
    shapes = [build(Catalogue().text(text.encode(), "f", "n", os.getcwd())).nodes[-1].shape for text in (own, other)]
    assert shapes == [(8, 4, 4), (5, 4, 4)]


def test_equal_lines_are_one_text() -> None:
    """Else the tests above would compare a reader with itself."""
    tree = yaml.read((HEAD + "  - conv: {out: 8, kernel: 3}\n" * 9).encode(), "net.yaml")
    assert isinstance(tree, Mapping)
    steps = tree.get("layers")
    assert isinstance(steps, Sequence)
    assert [type(item) for item in steps.written] == [Line] * 9
    assert len({id(item.wording) for item in steps.written if isinstance(item, Line)}) == 1


def test_texts_are_not_kept_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_MOST", 5)
    lines._kept.clear()  # noqa: SLF001
    for start in range(0, 40, 8):
        text = HEAD + "".join(f"  - conv: {{out: {number}, kernel: 3}}\n" for number in range(start + 1, start + 9))
        assert len(build(Catalogue().text(text.encode(), "f", "n", os.getcwd())).layers) == 8
        assert len(lines._kept) <= 5  # noqa: SLF001
