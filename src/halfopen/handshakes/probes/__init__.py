"""What to say of probes: how one ended and where its time went, and the numbers of many.

**Architecture Invariant:** pure, as all of ``halfopen.handshakes``: results in, sentences and numbers out.
"""
