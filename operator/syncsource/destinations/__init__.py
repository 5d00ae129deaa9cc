"""Where rows go: tables of PostgreSQL and SQLite that other people also use.

Rows are staged in a temporary table while they are read, compared with the table once, and only what differs is written: mapped
columns only, in one transaction, in which the caller also keeps its cursor. A row that can't be written comes back with the reason;
no value is rounded, cut or changed on the way. What differs between databases is in one package each, behind
:class:`~syncsource.destinations.dialect.Dialect`.

What may not happen here: a DELETE of people's rows unless they ask for it, a REPLACE, a change to a column that is not mapped, to a table's
definition (but for nullable columns that are asked for by name), or anything about runs, cursors and fences, which are the ledger's.
"""

from syncsource.destinations.absent import Owner
from syncsource.destinations.applied import Applied
from syncsource.destinations.backups import Backups
from syncsource.destinations.database import Database, open_database
from syncsource.destinations.dumps.files import FileBackups
from syncsource.destinations.duplicated import Dropped, Duplicates, Rule, Shared
from syncsource.destinations.fitting import add_columns, fitting
from syncsource.destinations.foreseeing import Foreseen
from syncsource.destinations.keeping import Backup, Keeping
from syncsource.destinations.keeping import found as found_backup
from syncsource.destinations.opening import find_table, open_table
from syncsource.destinations.policy import Policy
from syncsource.destinations.resolving import Conflict, Conflicts
from syncsource.destinations.restoring import Restored
from syncsource.destinations.table import Table
from syncsource.destinations.undoing import Undoer, Undone
from syncsource.destinations.verifying import Compared
from syncsource.destinations.writer import Writer
from syncsource.records.images import Taken

__all__ = [
    "Applied",
    "Backup",
    "Backups",
    "Compared",
    "Conflict",
    "Conflicts",
    "Database",
    "Dropped",
    "Duplicates",
    "FileBackups",
    "Foreseen",
    "Keeping",
    "Owner",
    "Policy",
    "Restored",
    "Rule",
    "Shared",
    "Table",
    "Taken",
    "Undoer",
    "Undone",
    "Writer",
    "add_columns",
    "find_table",
    "fitting",
    "found_backup",
    "open_database",
    "open_table",
]
