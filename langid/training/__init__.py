"""Datasets → weights with their figures and card: what ``train.py`` puts together.

Imports every other room but ``langid.page``; nothing outside ``train.py`` imports it, but for
``prepare_data.py transcribe`` (`transcriber`).
"""
