"""What of the Space needs gradio: its events and its errors. The layout is in
``app.py``, that of further tabs beside their events."""
