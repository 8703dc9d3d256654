"""The locked requirements: whole, hashed, for the Space's Python, and within requirements.txt."""

import re
from importlib.metadata import requires

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from langid.hub.space import LOCK, ROOT, pins

TEXT = (ROOT / LOCK).read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
FRONT_MATTER = yaml.safe_load(README.split("---\n")[1])
# A Space: Linux on x86-64, with the Python that its front matter names.
ENVIRONMENT = default_environment() | {
    "implementation_name": "cpython",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": f"{FRONT_MATTER['python_version']}.0",
    "python_version": FRONT_MATTER["python_version"],
    "sys_platform": "linux",
}
ADDED = "langid/space/hub.in"


def applies(requirement: Requirement, extra: str = "") -> bool:
    marker = requirement.marker
    return marker is None or marker.evaluate({**ENVIRONMENT, "extra": extra})


def locked() -> dict[str, str]:
    """Version of each package that a Space installs."""
    found = {}
    for requirement in filter(applies, map(Requirement, pins(TEXT))):
        (pin,) = requirement.specifier
        assert pin.operator == "==" and requirement.name not in found
        found[canonicalize_name(requirement.name)] = pin.version
    return found


def lines(text: str) -> list[str]:
    bare = (line.split(" #")[0].strip() for line in text.splitlines())
    return [line for line in bare if line and not line.startswith("#")]


@pytest.mark.parametrize(
    "line", lines((ROOT / "requirements.txt").read_text() + (ROOT / ADDED).read_text())
)
def test_what_is_locked_is_what_is_required(line):
    requirement = Requirement(line)
    assert requirement.specifier.contains(locked()[canonicalize_name(requirement.name)])


def test_what_gradio_asks_for_is_locked_with_its_extras():
    gradio = [Requirement(line) for line in requires("gradio")]
    asked = [each for each in gradio if any(applies(each, e) for e in ("", "oauth", "mcp"))]
    assert {"mcp", "authlib", "fastapi"} <= {canonicalize_name(each.name) for each in asked}
    for each in asked:
        assert each.specifier.contains(locked()[canonicalize_name(each.name)]), each


def test_every_version_has_hashes_and_no_address():
    blocks = TEXT.replace("\\\n", "").splitlines()
    versions = [block for block in blocks if "==" in block.split(" --hash")[0]]
    assert len(versions) == len(pins(TEXT)) > 80
    for block in versions:
        words = block.split(" --hash")[0].split(";")[0].split()
        assert re.fullmatch(r"[a-z0-9._-]+==[\w.+!]+", words[0])
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", block), block
    assert "://" not in TEXT and "--index" not in TEXT and "--find-links" not in TEXT


def test_it_is_locked_for_the_spaces_python_and_gradio():
    assert f"--python-version {FRONT_MATTER['python_version']} " in TEXT
    assert locked()["gradio"] == FRONT_MATTER["sdk_version"]


def test_readme_tells_how_to_renew_it():
    assert TEXT.splitlines()[1].removeprefix("#").strip() in README
