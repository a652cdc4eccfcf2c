"""Metrics of a graph: memory, traffic, receptive fields, and time on a roofline."""
