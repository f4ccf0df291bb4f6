"""How the built-in model is made: `python -m generation.builtin.training --help`."""
