"""Contract suites and synthetic markets, for Onward and for people who write their own stages."""
