"""Training jobs: state in a shared table, work in processes that really stop when told."""
