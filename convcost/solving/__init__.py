"""Values of parameters that meet a budget: one parameter exactly, several on a grid."""
