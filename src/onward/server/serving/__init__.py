"""Models kept loaded, and markets built for them."""
