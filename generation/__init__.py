"""From a request to pixels. The bot's side of the seam imports no torch; the worker's side does."""
