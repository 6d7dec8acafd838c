"""The staged feature pipeline."""
