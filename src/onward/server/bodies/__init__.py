"""What clients send and get, as OpenAPI describes it."""
