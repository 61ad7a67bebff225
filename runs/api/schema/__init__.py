"""The contract: what is asked for and answered, as OpenAPI 3.1."""
