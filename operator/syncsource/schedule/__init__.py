"""When things happen next. Pure: time is an argument; no I/O, no clock, no sleep."""
