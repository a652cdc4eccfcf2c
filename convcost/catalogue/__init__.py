"""Specs and other YAML files: the bundled ones by name, a user's own by path."""
