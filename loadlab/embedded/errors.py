"""What went wrong with an embedded server, in one sentence that holds the remedy."""


class EmbeddedServerError(RuntimeError):
    """An embedded server cannot be used; the message says which, where its log is, what to do."""
