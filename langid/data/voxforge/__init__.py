"""VoxForge: its server and its archives → the plan of a dataset and its jobs for the builder.

``prepare_data.py`` uses `fetch.plan_voxforge` and `plan.read_planned`.
"""
