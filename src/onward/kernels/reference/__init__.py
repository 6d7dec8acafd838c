"""Plain, slow, obviously right versions of the kernels; the tests compare the two."""
