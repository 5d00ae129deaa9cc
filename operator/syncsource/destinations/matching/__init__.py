"""Rows found by one of several keys, where joining by one that the database compares does not do.

Each key's fields make a text, normalised as the key says, and its digest stands for it: of staged rows, and of the table's rows as they are, and of
what a source last said of the row that it wrote (its alias), so that a record finds its row though people corrected the number it is known by.
Strongest key first, a record takes the row that has the same digest. A weaker key counts only where no stronger one is complete on both sides: two
bookings of one person stay two. What finds several rows finds none of them.

Who finds a row, stages its primary key beside the record, and all else joins by that.
"""

from __future__ import annotations

from syncsource.destinations.matching.candidates import candidates
from syncsource.destinations.matching.groups import Groups
from syncsource.destinations.matching.known import find_known, open_known
from syncsource.destinations.matching.matching import Matching

__all__ = ["Groups", "Matching", "candidates", "find_known", "open_known"]
