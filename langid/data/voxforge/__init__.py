"""VoxForge: its server and its archives → jobs for `langid.data.builder`.

`jobs` is what the rest of ``langid.data`` and ``prepare_data.py`` use.
"""
