"""What an identifier is worth: figures on labelled recordings (`evaluate`), speed (`bench`).

Clips → `predictions` → `summary` makes the `report`, frozen types kept as metrics.json → its
renderings: `text`, `tables` (Markdown, for card and README), `readme`, `plots`.

Imports the root, ``langid.audio`` and ``langid.data.folder``; used by ``python -m langid``,
``train.py`` and, for its typed report, by cards and page.
"""
