"""Frozen records that every part of halfopen passes around.

**Architecture Invariant:** imports nothing of ours but ``halfopen.errors``, touches no file, socket or clock, and needs
nothing outside the standard library, so that importing a record costs next to nothing.
"""
