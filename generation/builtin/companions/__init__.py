"""Small adapters for the built-in model: a style LoRA, an edge ControlNet and an image-prompt adapter."""
