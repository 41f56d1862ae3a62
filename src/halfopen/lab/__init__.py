"""The lab: pitfalls of the handshake, reproduced on the kernel at hand in network namespaces that vanish afterwards.

Nothing is mounted and nothing is written: a namespace lives as long as a descriptor or a thread of this process holds
it, so even a SIGKILL leaves nothing behind. All traffic, floods included, stays inside: there is no way out of a
namespace that has only the lab's own links.

**Architecture Invariant:** conditions are waited for (``waiting.until``), never slept for; an experiment states what it
expects as data (``story``), and its numbers are those of this run.
"""
