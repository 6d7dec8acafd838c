"""What jobs do: train, tune, features, import, predict, audit, each with both of its sides.

One module a kind. ``run(context, services)`` works in the worker, without a database and without
settings of its own; ``kind(services)`` gives the `onward.jobs.kinds.JobKind` with what the
supervisor does around it. Add a kind by adding a module and a line in `onward.tasks.catalog`.
"""
