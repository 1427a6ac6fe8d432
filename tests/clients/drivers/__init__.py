"""The programs that make a real mail client look for its settings; each runs beside the client, not beside us."""
