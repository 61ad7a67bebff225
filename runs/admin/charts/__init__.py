"""Charts of a report as SVG: pure functions from a document to geometry, drawn on the server.

Sized in per cent across and in pixels down, so text keeps its size at every width; colours come
from `loadlab.css`, since a strict policy allows no style attribute.
"""
