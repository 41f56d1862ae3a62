"""Connections that halfopen opens itself: probes, load, the test server (active measurement; ``capture`` is passive).

**Architecture Invariant:** the only package that sends traffic outside the lab; it prints nothing.
"""
