"""The numbers that compiled code and Python agree on: columns of the tables, kinds of conditions, layouts of memory."""

from __future__ import annotations

import numpy as np

# Truth, as in strategy.engine.values
FALSE, UNKNOWN, TRUE = 0, 1, 2
NEVER = np.int64(-(2**63))
ALWAYS_LATER = np.int64(2**62)
"""A moment that has not come: the beginning of a history that has not begun."""
SCALE = 1_000_000
"""Values that are added up are whole millionths."""
SUMMABLE = 1_000_000_000_000_000
"""The largest number of millionths one value may have."""

# Columns of the table of conditions; those that every event looks at stand side by side, eight to a line of the cache
(
    KIND, COLUMN, STAMP, TB, TA, MASK, MASKED, PLACE,
    FN, OP, NV, V0, OVER, LAST, BEGIN, STRIDE,
    USE, PULSE, WAKE, PER, TIMES, KEEP, LARGEST, CLASS,
    SIGNED, GAP0, NGAP, PRESENT, DEADLINE, DEFAULT, FACTOR, RISE,
    CLOSED, WAITING, ROLES,
) = range(35)  # fmt: skip
WIDTH = 40

# Kinds of conditions
FACT, HAPPENS, AGGREGATE, RATIO, STREAK, SEQUENCE, CHANGE = range(7)
# Functions of aggregates and changes
COUNT, SUM, AVG, MIN, MAX, DISTINCT, NEWEST = range(7)
FUNCTIONS = {"count": COUNT, "sum": SUM, "avg": AVG, "min": MIN, "max": MAX, "distinct": DISTINCT, "last": NEWEST}
# Comparisons
OPS = {"<": 0, "<=": 1, ">": 2, ">=": 3, "==": 4, "!=": 5, "in": 6, "not_in": 7}
# Classes of thresholds, and of values
NUMERIC, TEXTUAL, LOGICAL = range(3)
# Whether time alone may make a condition matter: always, or a sum only when it holds values below zero or what came
# before history began may have been
RISING, FALLING = 1, 2
# Roles in which an event meets a condition, as bits
PASSES, OF_TYPE, WITHOUT = 1, 2, 4
OF, PER_SIDE = 1, 2

# Columns of subjects
KNOWN, ROW, ENTRIES, ROOM = range(4)
# Columns of a block of items: how many it has room for, the first, how many it holds, how many ever came, two more
CAP, HEAD, LEN, N, X0, X1 = range(6)
HEADER = 6

# Marks in the first word of a row's entry: what it is kept for (24 bits) and how many (8 bits)
TAG = 0xFFFFFF
TIMER = 1 << 22
COOLDOWN = 1 << 23
INLINE = 3
EXTERNAL = 255

# Columns of gaps of sequences
WITHIN, RULES, THEN, ABSENT0, ABSENTS = range(5)

# Columns of strategies
T0, TN, A0, AN, COOL, NAME, LIVE, DRAINING, MARK = range(9)
STRATEGY_WIDTH = 9
# Codes of trees: a condition's number, or one of these with a count in the next place
ALL, ANY, NOT = -1, -2, -3

# What the loop is given: an event's place, or one of these with a place in the table of marks
ROWS_TOP, RING_TOP, HEAP_N, LOG_N, GROUP, TEXT_TOP = range(6)
SIZES = 4096
"""Rows and blocks smaller than this that were outgrown are used again: where the first of each size is, plus one."""
FREE_ROWS, FREE_BLOCKS = 6, 6 + SIZES
META = 6 + 2 * SIZES
# Why the loop came back
DONE, MORE_ROWS, MORE_RING, MORE_HEAP, MORE_LOG, DEMOTE = range(6)

# Values: numbers are the bits of their float; the rest are not-a-numbers with a code
NAN = np.int64(0x7FF8000000000001)
V_FALSE, V_TRUE = NAN, NAN + 1
V_TEXT = NAN + 2
# States of a value
V_NONE, V_NUMBER, V_OTHER, V_LOGICAL, V_HUGE = range(5)

EVIDENCE = 20
# Columns of what is recorded of a condition
O_TRUTH, O_A, O_B, O_C, O_D, O_SHORT, O_EV, O_EVN = range(8)
