"""Loaded models. Importing this package imports torch: worker side only."""
