"""What on this host can stop a connect: one cause a file, each a function ``check(space, way)``."""
