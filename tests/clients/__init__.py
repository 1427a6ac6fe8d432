"""Real mail clients against the running service, in a small internet of their own."""
