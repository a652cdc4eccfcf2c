"""Closed forms: the only part of the package that imports sympy; it is loaded only when symbols are needed."""
