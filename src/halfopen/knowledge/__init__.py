"""What halfopen knows of the kernel, as tables and small pure functions: settings, counters, timers, errors.

One place for each fact, with its source, so that the doctor, the linter, the probe and the exporter cannot say two
different things of the same key.

**Architecture Invariant:** pure. It states what the kernel does and decides nothing: no file, socket or clock, and
nothing of ours but ``halfopen.model``.
"""
