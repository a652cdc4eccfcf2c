"""A table as text: for a terminal, as Markdown, as CSV; and results as JSON."""
