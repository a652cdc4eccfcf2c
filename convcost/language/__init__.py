"""The spec language: reading, checking, linking and running specs."""
