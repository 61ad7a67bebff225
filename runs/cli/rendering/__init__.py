"""Documents → lines of text for a terminal: layout only, every sentence is the document's own."""
