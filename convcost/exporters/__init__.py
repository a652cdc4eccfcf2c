"""Graphs written as files of other programs, and of this one."""
