"""The model that ships with Easel: small enough for any laptop, in diffusers' ordinary folder layout.

`weights/` is the exported pipeline. The other modules draw its training pictures and train it again;
importing this package costs nothing and never imports torch.
"""
