"""Drawings and charts as data: what is in the picture, with exact values and places."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from convcost.drawing.exports import arrows, numbered
from convcost.drawing.picture import beside
from convcost.render.results import schema
from convcost.tables.data import json_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from convcost.drawing.chart import Axis, Bar, Chart
    from convcost.drawing.diagram import Part
    from convcost.drawing.drawing import Drawing
    from convcost.drawing.picture import Titled
    from convcost.drawing.scene import Scene


def drawing_data(drawing: Drawing) -> dict[str, Any]:
    """The boxes, lines and places of the SVG file of a drawing."""
    titled = drawing.titled()
    scenes = beside(titled).scenes
    return {
        "schema": schema("draw"),
        "depth": drawing.depth,
        "items": [_network(each, scene) for each, scene in zip(titled, scenes, strict=True)],
    }


def _network(titled: Titled, scene: Scene) -> dict[str, Any]:
    graph, numbers = titled.drawing.graph, numbered(titled.drawing)
    frames = dict(_inside(titled.drawing.parts, None, numbers))
    paths = [node.path for node in graph.nodes]
    boxes = [
        {
            "id": numbers[id(box.part)],
            "inside": frames[numbers[id(box.part)]],
            "form": box.part.form,
            "text": [line for line in box.part.lines if line],
            "layers": [paths[index] for index in box.part.layers],
            "times": box.part.times,
            "macs": box.part.macs,
            "share": None if box.part.share is None else float(box.part.share),
            "output": box.part.output,
            "x": box.x,
            "y": box.y,
            "width": box.width,
            "height": box.height,
        }
        for box in scene.boxes
    ]
    return {
        "name": graph.name,
        "title": graph.title,
        "parameters": dict(graph.parameters),
        "input": graph.input,
        "boxes": sorted(boxes, key=lambda box: int(str(box["id"]))),
        "edges": [
            {"source": arrow.source, "target": arrow.target, "tensor": paths[arrow.tensor]}
            for arrow in arrows(titled.drawing)
        ],
        "lines": [{"tensor": paths[line.tensor], "points": line.points, "arrow": line.arrow} for line in scene.lines],
    }


def _inside(parts: Iterable[Part], frame: int | None, numbers: dict[int, int]) -> Iterator[tuple[int, int | None]]:
    """The number of every box and frame, with that of the frame around it."""
    for part in parts:
        number = numbers[id(part)]
        yield number, frame
        yield from _inside(part.parts, number, numbers)


def chart_data(chart: Chart) -> dict[str, Any]:
    """The axes and marks of a chart; a value that is no decimal is also given exactly."""
    return {
        "schema": schema("plot"),
        "kind": chart.kind,
        "title": chart.title,
        "x": _axis(chart.x),
        "y": None if chart.y is None else _axis(chart.y),
        "bars": list(map(_bar, chart.bars)),
        "curves": [
            {"name": curve.name, "steps": curve.steps, "points": list(map(_point, curve.points))}
            for curve in chart.curves
        ],
        "dots": [
            {"label": dot.label, "group": dot.group, "weight": dot.weight, **_point((dot.x, dot.y))}
            for dot in chart.dots
        ],
        "rules": [{"axis": rule.axis, **_value(rule.value), "text": rule.text} for rule in chart.rules],
        "strips": [{"label": strip.label, "cells": strip.cells, "wires": strip.wires} for strip in chart.strips],
        "rows": list(map(_bar, chart.rows)),
        "about_rows": chart.about_rows,
        "notes": list(chart.notes),
    }


def _axis(axis: Axis) -> dict[str, Any]:
    return {
        "title": axis.title,
        "low": axis.low,
        "high": axis.high,
        "log": axis.log,
        "ticks": [{"value": value, "text": text} for value, text in axis.ticks],
    }


def _bar(bar: Bar) -> dict[str, Any]:
    return {"label": bar.label, **_value(bar.value), "text": bar.text, "group": bar.group}


def _value(value: Any) -> dict[str, Any]:
    exact = json_value(value)
    return {"value": _number(value), "exact": exact if isinstance(exact, str) else None}


def _point(point: Sequence[Any]) -> dict[str, Any]:
    x, y = map(json_value, point)
    exact = [str(x), str(y)] if isinstance(x, str) or isinstance(y, str) else None
    return {"x": _number(point[0]), "y": _number(point[1]), "exact": exact}


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, Fraction) and value.denominator != 1 else json_value(value)
