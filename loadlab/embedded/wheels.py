"""Where did pip put the servers' programs?"""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from loadlab.embedded.errors import EmbeddedServerError


def installed_program(wheel: str, *, pattern: str, server: str, variable: str) -> Path:
    """Return the program that `wheel` installed at `pattern`, without importing the wheel.

    why: the wheels' Python layers stop their servers at exit, add system users and warn on import.
    """
    try:
        root = Path(str(distribution(wheel).locate_file("")))
    except PackageNotFoundError:
        root = None
    found = sorted(root.glob(pattern)) if root else []
    if not found:
        raise EmbeddedServerError(
            f"{server} is not installed here ({wheel}): run `pip install loadlab[embedded]`, "
            f"or set {variable} to a server of your own."
        )
    return found[0]
