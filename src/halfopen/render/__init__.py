"""Records to text, JSON and pages: everything a person or another program reads.

**Architecture Invariant:** pure. No file, socket, clock, subprocess or terminal; the width and whether colour is wanted
are arguments.
"""
