"""An argument that nothing can be said of: arq fails its job before the coroutine begins."""


class Nasty:
    """Its repr raises, which arq itself does not survive in a result, but in an argument."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")
