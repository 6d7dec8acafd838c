"""What ``onward jobs``, ``onward worker`` and ``--background`` share: asking for jobs, and showing them."""
