"""The command line: what a person types, and what is printed.

``main`` finds the command, ``commands/`` has one file for each, ``printer`` writes, ``exit_codes`` says how it ended.
Commands hold no decisions of their own: they parse, call the library, and hand its answer to ``halfopen.render``.
"""
