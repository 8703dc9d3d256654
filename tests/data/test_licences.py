"""Licences as the Hub and as people call them."""

from langid.data.licences import card_licence, full_name, hub_licence


def test_licences_have_the_ids_of_the_hub():
    assert hub_licence("GPL-3.0-or-later") == hub_licence("GPL-3.0") == "gpl-3.0"
    assert hub_licence("CC-BY 4.0") == "cc-by-4.0"
    assert hub_licence("free for research (EMOVO)") is None
    assert full_name("free for research (EMOVO)") == "free for research (EMOVO)"
    assert full_name("MIT") == "MIT License"
    assert card_licence(["GPL-3.0", "GPL-3.0-or-later"]) == "gpl-3.0"
    assert card_licence(["MIT", "CC0-1.0"]) == ["cc0-1.0", "mit"]
    assert card_licence(["unstated"]) == "unknown"
    assert card_licence(["unstated", "MIT"]) == "other"
