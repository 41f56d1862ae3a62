"""Captures to handshakes: the native core's reading, as typed values of ``halfopen.model``.

**Architecture Invariant:** the only package that opens captures; it prints nothing and decides nothing about them.
"""
