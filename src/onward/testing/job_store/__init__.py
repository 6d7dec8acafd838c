"""Parts of the contract of job stores; `onward.testing.jobs` puts them together."""
