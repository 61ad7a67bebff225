"""The endpoints: each translates, the use cases decide."""
