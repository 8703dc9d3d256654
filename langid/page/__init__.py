"""What ``app.py`` shows, as text and tables: no gradio in here, and the root is all it imports."""
