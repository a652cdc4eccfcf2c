"""Sweeps: metrics of a network on a grid of values of its parameters."""
