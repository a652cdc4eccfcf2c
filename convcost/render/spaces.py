"""Design spaces as tables and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.metrics.registry import METRICS
from convcost.render.results import schema
from convcost.tables.printable import View
from convcost.tables.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from convcost.spaces.model import Choice
    from convcost.spaces.space import Answers, Chosen, Space

_CHOICES = Column("choices", "choices", "text", 8)


def answers_view(answers: Answers) -> View:
    """What a space has, and what was asked."""
    return View(
        tables=lambda: _tables(answers),
        data=lambda: _data(answers),
        flat=lambda: _tables(answers)[-1],
    )


def networks_view(chosen: Chosen) -> View:
    """Networks of a space."""
    keys = chosen.space.usual
    return View(
        tables=lambda: [_networks(chosen, keys)],
        data=lambda: {"schema": schema("space"), "networks": _networks_data(chosen, keys)},
    )


def _tables(answers: Answers) -> list[Table]:
    """The whole, then counts, networks at random, and the best: those that were asked for."""
    tables = [_whole(answers)]
    if answers.counts:
        tables.append(_counts(answers))
    tables += [_networks(chosen, answers.keys) for chosen in (answers.sample, answers.front) if chosen is not None]
    return tables


def _whole(answers: Answers) -> Table:
    space = answers.space
    shares = list(dict.fromkeys(quantile.share for quantile in answers.quantiles))
    values = {(quantile.share, quantile.key): quantile.value for quantile in answers.quantiles}
    columns = [Column("metric", "", "text", 9), Column("least", "least", "count", 9)]
    columns += [Column(f"q{_decimal(share)}", f"{_decimal(share)} quantile", "count", 9) for share in shares]
    columns += [Column("most", "greatest", "count", 9)]
    rows: list[tuple[Any, ...]] = []
    for key in answers.keys:
        ends = answers.extremes[key]
        least, most = ends if ends is not None else (None, None)
        rows.append((_title(key), least, *(values[share, key] for share in shares), most))
    return Table(f"{space.tree.spec.title}: {space.networks:,} networks", tuple(columns), rows, None, _notes(answers))


def _notes(answers: Answers) -> tuple[str, ...]:
    space, notes = answers.space, []
    if answers.where:
        notes.append(f"of the networks with {', '.join(answers.where)}")
    if answers.measure == "choices" and (answers.counts or answers.quantiles or answers.sample is not None):
        notes.append("shares, quantiles and samples are those of choices in turn, every option of which is as likely")
    given = ", ".join(f"{name} = {value}" for name, value in space.tree.given.items())
    if given:
        notes.append(f"at {given}")
    asked = any(text.strip().startswith(("peak", "live")) for text in (*answers.keys, *answers.where))
    joined = next((member.joined for member in space.tree.members if member.joined), "")
    if joined and not asked:
        notes.append(f"no peaks: {joined}" + ("; --in peak builds each of its values" if space.tree.scattered else ""))
    elif asked:
        fused = "norms and activations fused" if space.fused else "norms and activations not fused"
        notes.append(f"peak in bytes of {space.dtype}, {fused}")
    return tuple(notes)


def _counts(answers: Answers) -> Table:
    columns = (
        Column("bound", "networks with", "text", 9),
        Column("networks", "number", "text", 9),
        Column("share", "share", "text", 9),
    )
    rows = [
        (count.text, "" if count.networks is None else f"{count.networks:,}", _percent(count.share))
        for count in answers.counts
    ]
    return Table("How many", columns, rows, None, ())


def _percent(share: Fraction) -> str:
    return f"{float(share) * 100:.6g} %"


def _decimal(share: Fraction) -> str:
    return f"{float(share):.6g}"


def _title(key: str) -> str:
    return METRICS[key].title


def _networks(chosen: Chosen, keys: Sequence[str]) -> Table:
    columns = [METRICS[key].column._replace(keep=9) for key in keys]
    rows = [(*(chosen.space.value(choice, key) for key in keys), _choices_of(choice)) for choice in chosen]
    number = f"{len(chosen):,} network{'' if len(chosen) == 1 else 's'}"
    return Table(f"{number}: {chosen.what}", (*columns, _CHOICES), rows, None, ())


def _choices_of(choice: Choice) -> str:
    parts = [f"{name}={value}" for name, value in choice.member.values.items()]
    for factor, option in choice.picks:
        values = " ".join(f"{name}={value}" for name, value in zip(factor.names, option.values, strict=True))
        parts.append(f"{factor.path} {values}" if factor.path else values)
    return ", ".join(parts)


def _data(answers: Answers) -> dict[str, Any]:
    space = answers.space
    data: dict[str, Any] = {
        "schema": schema("space"),
        "name": space.tree.spec.name,
        "given": dict(space.tree.given),
        "networks": space.networks,
        "where": list(answers.where),
        "measure": answers.measure,
        "dtype": space.dtype,
        "fused": space.fused,
        "extremes": {
            key: None if ends is None else {"least": ends[0], "most": ends[1]} for key, ends in answers.extremes.items()
        },
        "counts": [
            {
                "bound": count.text,
                "networks": count.networks,
                "share": {"exact": str(count.share), "decimal": float(count.share)},
            }
            for count in answers.counts
        ],
        "quantiles": [
            {"share": str(quantile.share), "metric": quantile.key, "value": quantile.value}
            for quantile in answers.quantiles
        ],
    }
    for name, chosen in (("sample", answers.sample), ("front", answers.front)):
        data[name] = None if chosen is None else _networks_data(chosen, answers.keys)
    return data


def _networks_data(chosen: Chosen, keys: Sequence[str]) -> list[dict[str, Any]]:
    space: Space = chosen.space
    return [
        {
            **{key: space.value(choice, key) for key in keys},
            "parameters": {
                **choice.member.values,
                **{
                    name: value
                    for factor, option in choice.picks
                    if not factor.path
                    for name, value in zip(factor.names, option.values, strict=True)
                },
            },
            "choices": [
                {"path": factor.path, "values": dict(zip(factor.names, option.values, strict=True))}
                for factor, option in choice.picks
                if factor.path
            ],
        }
        for choice in chosen
    ]
