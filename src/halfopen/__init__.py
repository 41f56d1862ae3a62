"""halfopen: everything between SYN and accept(), on Linux."""
