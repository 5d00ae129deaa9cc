"""Files of separated values (RFC 4180, and what spreadsheets make of it), read in constant memory, each file once.

A file that can't be opened, decoded or told apart ends the read with an error, and nothing of it is written. A line that is
wrong by itself is handed on as Broken, with its number, and the rest goes on.

    source       files, one after the other, as pages of cells
    finding      which files a path means, and which may be read
    globbing     what a glob means
    downloading  a file that an HTTP server hands out
    holding      a file open for reading, and whether it stayed as it was
    packed       gzip and zip, bounded against bombs
    decoding     the encoding: declared, marked, UTF-8 or detected
    dialect      what separates cells
    header       names of the columns
    lines        the lines of a text as rows of cells
    records      pages, and what stands in them for lines that are no record
    taken        which files were read before
    reasons      the words of its errors
"""
