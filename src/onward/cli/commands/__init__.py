"""One module a command. Their top level imports nothing heavy: ``onward --help`` reads them all."""
