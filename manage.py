#!/usr/bin/env python
"""Django's commands and ours; `loadlab` is the same thing, installed."""

from loadlab.__main__ import main

if __name__ == "__main__":
    main()
