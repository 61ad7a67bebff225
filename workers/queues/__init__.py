"""arq settings classes, one module per queue: `arq` and `runworker_loadtest` run them as is."""
