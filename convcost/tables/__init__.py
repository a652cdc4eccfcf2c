"""Tables: columns and rows of plain values, their arrangement, and their output formats."""
