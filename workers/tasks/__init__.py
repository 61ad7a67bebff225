"""What the load is made of: the built-in task types and the registry of all of them."""
