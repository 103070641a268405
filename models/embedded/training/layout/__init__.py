"""The networks of a published model folder (Stable Video Diffusion, ControlNeXt-SVD v2) in PyTorch, for training.

Attribute names are the keys of the checkpoints, so `state_dict()` is the published layout.
"""
