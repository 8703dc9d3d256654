"""README's clients, as they stand there, against a live server: only its address is another."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

import app

ROOT = Path(app.__file__).parent
ADDRESS = "http://127.0.0.1:7860"  # in README
GRADIO_CLIENT = "@gradio/client@2.7.0"  # of npm; the one that belongs to gradio 6.31
CONFIDENCE = r"(1\.0|0\.\d+)"
PATIENCE_S = 300  # a machine may be busy


def snippets(language: str, word: str) -> list[str]:
    """README's blocks of code in a language that hold a word."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [block for block in blocks if word in block]


def snippet(language: str, word: str, url: str = ADDRESS) -> str:
    (block,) = snippets(language, word)
    return block.replace(ADDRESS, url)


def require(*programs: str) -> None:
    for program in programs:
        if not shutil.which(program):
            miss(f"there is no {program}")


def miss(what: str) -> None:
    if os.environ.get("LANGID_REQUIRE_CLIENTS") == "1":
        pytest.fail(f"{what}, and LANGID_REQUIRE_CLIENTS=1 asks for all clients")
    pytest.skip(what)


def output(*command: str | Path, folder: Path = ROOT) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_python_with_the_package():
    out = output(sys.executable, "-c", snippet("python", "from langid import"))
    assert re.match(rf"fr {CONFIDENCE} \[Segment\(start_s=0\.0, ", out)


def test_python_with_gradio_client(url):
    out = output(sys.executable, "-c", snippet("python", "gradio_client", url))
    assert re.fullmatch(rf"French fr {CONFIDENCE}", out.splitlines()[-1])


def test_javascript(url, tmp_path):
    require("node", "npm")
    install = ("npm", "install", "--no-audit", "--no-fund", "--no-save", GRADIO_CLIENT)
    (tmp_path / "package.json").write_text("{}")  # else npm looks for one above
    done = subprocess.run(install, cwd=tmp_path, capture_output=True, text=True, check=False)
    if done.returncode:
        miss(f"{GRADIO_CLIENT} cannot be installed: {done.stderr.strip().splitlines()[:1]}")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "snippet.mjs").write_text(snippet("js", "@gradio/client", url))
    out = output("node", "snippet.mjs", folder=tmp_path)
    assert re.fullmatch(rf"French fr {CONFIDENCE}\n", out)


def test_curl(url):
    require("curl", "sh")
    out = output("sh", "-c", snippet("sh", "curl", url))
    events = re.findall(r"^event: (\w+)\ndata: (.*)$", out, re.MULTILINE)
    event, data = events[-1]
    assert event == "complete", out
    label, result = json.loads(data)
    assert (label["label"], result["language"]) == ("French", "fr")
    assert result["duration_s"] == pytest.approx(8.6, abs=0.1)


def test_the_command_line():
    (block,) = snippets("console", "-m langid")
    command, *expected = block.replace("$ .venv/bin/python", sys.executable).splitlines()
    told = output("sh", "-c", command).splitlines()

    def without_confidence(line: str) -> str:  # other weights may be a little more or less sure
        return re.sub(r"\d+\.\d%", "", line)

    assert list(map(without_confidence, told)) == list(map(without_confidence, expected))


def test_an_assistant_uploads_a_file_and_asks(url, tmp_path):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    servers = json.loads(snippet("json", "mcpServers", url))["mcpServers"]
    upload = servers["upload"] | {"command": str(Path(sys.executable).parent / "gradio")}

    async def ask():
        parameters = StdioServerParameters(**upload, cwd=ROOT, env=dict(os.environ))
        async with (
            stdio_client(parameters) as (read, write),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            path = str(ROOT / "examples" / "italian.flac")
            uploaded = await session.call_tool("upload_file_to_gradio", {"file": path})
        async with (
            streamable_http_client(servers["spoken-language"]["url"]) as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            return await session.call_tool("identify_language", {"audio": uploaded.content[0].text})

    answer = asyncio.run(ask())
    assert (answer.structuredContent["language"], answer.isError) == ("it", False)
