"""Copies of a table in files: how they are written so that a file which looks whole is whole, and how their rows come back.

What differs between databases (the program that writes the file, and how its rows are read) is in the package of each.

    folder     the directory, its files, and what each of them is
    programs   other people's programs, as child processes
    files      the backups themselves
"""
