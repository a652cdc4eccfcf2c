"""Results as tables and as data: what every command prints."""
