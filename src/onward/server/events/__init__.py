"""Events of jobs on their way to clients."""
