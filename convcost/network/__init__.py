"""Graphs of layers: the builder, the order of execution, fusion."""
