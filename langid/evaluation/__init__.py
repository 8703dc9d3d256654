"""What an identifier is worth: figures on labelled recordings (`evaluate`), speed (`bench`).

Imports the root, ``langid.audio`` and ``langid.data.folder``; used by ``python -m langid``,
``train.py`` and, for its typed report, by cards and page.
"""
