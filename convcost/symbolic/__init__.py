"""Closed forms: the only part of the package that imports sympy, and only when a symbol is asked for."""
