"""The arithmetic common to ints, fractions, symbols and arrays."""
