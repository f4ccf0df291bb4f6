"""The playground: its glue with a toy bot, and the whole bot in a real browser."""
