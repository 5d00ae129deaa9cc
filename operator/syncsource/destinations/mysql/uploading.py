"""LOAD DATA LOCAL from memory. In the protocol the server names a file and the client sends it: what a server names is compared with what the statement
names and nothing else, no file is opened, and the rows of that statement are all it can get."""

from __future__ import annotations

from typing import Any

import pymysql
from pymysql.constants import COMMAND, CR
from pymysql.protocol import OKPacketWrapper

_NAME = b"syncsource"
"""No file: the server only sends it back."""
_PACKET = 256 * 1024


class Upload:
    """One statement, from its beginning until :meth:`end`: the connection takes no other meanwhile."""

    def __init__(self, driver: Any, into: str) -> None:
        """``into``: what follows INTO TABLE."""
        self._driver = driver
        driver._execute_command(COMMAND.COM_QUERY, f"LOAD DATA LOCAL INFILE '{_NAME.decode()}' INTO TABLE {into}")
        if driver._read_packet().get_all_data() != b"\xfb" + _NAME:
            driver._force_close()
            raise refused()

    def send(self, data: bytes) -> None:
        """A part of the file."""
        most = min(_PACKET, self._driver.longest)
        for start in range(0, len(data), most):
            self._driver.write_packet(data[start : start + most])

    def end(self) -> tuple[int, int]:
        """The end of the file: how many rows the server took, and how many warnings it has about them."""
        self._driver.write_packet(b"")
        done: Any = OKPacketWrapper(self._driver._read_packet())
        return done.affected_rows, done.warning_count


def refused() -> pymysql.err.OperationalError:
    """For a server that asks for a file that nobody offered it; the connection is closed."""
    return pymysql.err.OperationalError(CR.CR_COMMANDS_OUT_OF_SYNC, "the server asked for a file of this machine, and did not get it")
