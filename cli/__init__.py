"""How people ask: the command line, a thin layer over the public API."""
