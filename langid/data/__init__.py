"""Recordings → datasets in Parquet: reading folders and VoxForge, splits, builds, merges, cards.

Imports the root, ``langid.audio`` and ``langid.hub``; used by ``prepare_data.py``, by
``langid.evaluation`` (`folder`) and by ``langid.training`` (`store`, `disjoint`, `espeak`).
"""
