"""What to say of many handshakes: notices, where the capture was taken, one exchange step by step.

**Architecture Invariant:** pure. Numbers and records in, plain values and sentences out; no file, socket, clock or
terminal.
"""
