"""Figures that papers print, and whether a network reproduces them."""
