"""The Lua scripts beside this module, each with the digest by which Redis knows it."""

import hashlib
from pathlib import Path


class Script:
    """One script."""

    def __init__(self, name: str) -> None:
        self.source = Path(__file__).with_name(name).read_bytes()
        self.sha = hashlib.sha1(self.source, usedforsecurity=False).hexdigest()


SEND_BATCH = Script("send_batch.lua")
CANCEL = Script("cancel.lua")
CLOSE_CURSOR = Script("close_cursor.lua")
