"""Everything that knows arq and Redis. A plain package: it never imports Django."""
