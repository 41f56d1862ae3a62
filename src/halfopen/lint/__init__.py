"""Configuration before it reaches a host: files in, findings out.

``reading.read`` recognises and parses a file, ``run.lint`` holds every check of ``registry.CHECKS`` against all files
of a run. A check's docstring is its manual page, its cases are ``tests/cases/lint/<code>.toml``.

**Architecture Invariant:** pure. Text and a kernel go in, findings come out; the command line reads the files and asks
the running kernel.
"""
