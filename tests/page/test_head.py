"""The head of the page, as it is served: what reads it before or without any script."""

import urllib.request
from html.parser import HTMLParser


class Preview(HTMLParser):
    """The tags that programs make the preview of a link of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        name = values.get("property") or values.get("name") or ""
        if tag == "meta" and name.startswith(("og:", "twitter:")):
            self.tags.append((name, values["content"]))


def test_a_link_to_the_page_is_previewed_by_its_title_and_a_sentence(url):
    with urllib.request.urlopen(url, timeout=30) as response:
        html = response.read().decode()
    assert Preview(html).tags == [
        ("og:type", "website"),
        ("og:title", "Which language is spoken?"),
        (
            "og:description",
            "Record or drop speech: this page tells English, French, German, Spanish and Italian "
            "apart.",
        ),
    ]
    assert '<meta charset="utf-8" />' in html[:1024] and 'name="viewport"' in html
