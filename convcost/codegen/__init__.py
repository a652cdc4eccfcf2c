"""Closed forms as code of programming languages."""
