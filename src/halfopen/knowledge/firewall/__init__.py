"""What packet filter rules say, read from the text of the tools themselves: iptables-save and nft.

The same readers serve the snapshot (what is loaded now) and the linter (what a file would load), so each rule keeps
its place in the text.
"""
