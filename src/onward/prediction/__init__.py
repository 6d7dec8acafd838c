"""Serving: from a trained model and new bars to probabilities."""
