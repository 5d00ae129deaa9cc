"""Records and rows: paths, types, keys, cursors. Pure: values in, values out; no I/O, no clock.

A page of records is turned into columns, not rows, as long as possible: most columns of most pages need no
conversion at all, and one look at a column's types says so.
"""
