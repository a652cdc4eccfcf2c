"""The values of a spec's names that meet a budget: one name exactly, several on a grid."""
