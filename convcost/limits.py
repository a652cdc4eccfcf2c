"""Limits on the size of everything in a spec. docs/language.md lists them.

A value beyond a limit is refused before it is computed.
"""

from __future__ import annotations

MAX_BYTES = 8 * 2**20  # of a file
MAX_NESTING = 60  # brackets and indents of a file inside one another
MAX_ITEMS = 100_000  # of a table, a list or a `range`; rows of a `for`
MAX_CLAIMS = 1_000  # published figures of a spec

MAX_LENGTH = 1_000  # characters of an expression
MAX_DEPTH = 40  # levels of an expression
MAX_DIGITS = 400  # characters of a number as it is written
MAX_BITS = 4_096  # of a number

MAX_STEPS = 1_000_000  # of a run; copies of a `repeat`
MAX_NODES = 250_000  # layers after expansion
MAX_CALL_DEPTH = 40  # calls of blocks inside one another
MAX_FUNCTION_CALLS = 500_000  # of `let` functions
MAX_FUNCTION_DEPTH = 32  # calls of `let` functions inside one another

MAX_VALUES = 4_096  # elements of a tensor in an ONNX file whose values are read

MAX_TERMS = 1_000  # of a formula that a spec computes, multiplied out
MAX_DEGREE = 64  # of it

MAX_PAGE_ROWS = 5_000  # layers of a network on an HTML page

MAX_AXIS = 1_000_000  # values of a parameter in a sweep
MAX_POINTS = 10**12  # of a sweep

MAX_SPACES = 20_000  # combinations of the parameters that change every layer of a design space
MAX_OPTIONS = 200_000  # networks that are built for a design space, one for each option of its choices at most
MAX_SUMS = 2**26  # sums of a metric over half of a design space: 512 MB
MAX_PART_SUMS = 2**20  # different sums of a metric over one choice
MAX_TRIED = 1_000_000  # networks of a design space that are tried one by one
MAX_SAMPLE = 100_000  # networks at random
MAX_OBJECTIVES = 3  # of a front of a design space, with bounds on other quantities
MAX_FRONT = 50_000  # parts of networks that no other part beats
