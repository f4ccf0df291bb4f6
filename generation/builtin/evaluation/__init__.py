"""How good the built-in model is: `python -m generation.builtin.evaluation --help`."""
