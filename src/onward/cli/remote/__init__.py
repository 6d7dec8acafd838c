"""The services of a verb, reached over the network: what a `Session` gives instead of local ones."""
