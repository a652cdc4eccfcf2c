"""Tables: columns and rows of plain values, how they are arranged, and the formats they are written in."""
