"""Networks as functions of some of their parameters: compiled closed forms, one for each structure."""
