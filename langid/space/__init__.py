"""What of the Space needs gradio: its events, errors and MCP tool, and downloads for its clients.

The layout is in ``app.py``.
"""
