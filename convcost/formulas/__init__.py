"""Closed forms of costs: cases, ratios, order, equality and scaling."""
