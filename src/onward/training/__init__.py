"""Training: a frozen plan, the rows it trains on, the trainers and the service in front of them."""
