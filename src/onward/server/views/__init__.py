"""Values as JSON shows them."""
