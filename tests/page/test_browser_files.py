"""Files of every kind in a real Chromium, chosen or dropped."""

from pathlib import Path

import av
import pytest
import soundfile
from helpers.browser import choose_example, choose_file, wait_for_answer

import app

pytestmark = pytest.mark.browser

EXAMPLES = app.EXAMPLES


def test_an_unusable_file_is_explained_and_the_next_one_works(page, tmp_path):
    path = tmp_path / "_n*otes_*<i>.wav"
    path.write_text("This is no sound at all.\n" * 20)
    choose_file(page, path)
    problem = page.locator("#answer .problem")
    problem.get_by_text("is not audio").wait_for()
    assert problem.locator("em, i, strong").count() == 0
    assert page.locator("#answer .bars").count() == 0
    choose_example(page, "Italian")
    wait_for_answer(page)
    duration_s = soundfile.info(EXAMPLES / "italian.flac").duration
    assert f"{duration_s:.1f} s of audio" in page.locator("#answer").inner_text()


def write_media(path: Path, kind: str, codec: str) -> Path:
    """The French example as a file of another kind, for video with some pictures."""
    with av.open(EXAMPLES / "french.flac") as source, av.open(path, "w", format=kind) as target:
        audio = target.add_stream(codec, rate=8_000 if "amr" in codec else 48_000)
        audio.layout = "mono"
        resampler = av.AudioResampler(audio.format or "s16", "mono", audio.rate)
        for frame in source.decode(audio=0):
            for piece in resampler.resample(frame):
                target.mux(audio.encode(piece))
        for piece in resampler.resample(None):
            target.mux(audio.encode(piece))
        target.mux(audio.encode(None))
    return path


@pytest.mark.parametrize(
    ("name", "kind", "codec"),
    [
        ("talk.mp4", "mp4", "aac"),
        ("talk.mov", "mov", "aac"),
        ("talk.3gp", "3gp", "aac"),
        ("talk.webm", "webm", "libopus"),
        ("talk.mkv", "matroska", "libopus"),
        ("talk.caf", "caf", "pcm_s16le"),
        ("talk.w64", "w64", "pcm_s16le"),
        ("talk", "wav", "pcm_s16le"),
    ],
)
def test_the_page_takes_what_the_package_takes(page, tmp_path, name, kind, codec):
    choose_file(page, write_media(tmp_path / name, kind, codec))
    wait_for_answer(page)
    assert page.locator("#answer .verdict b").inner_text() == "French"
    # The area for files is there as well while a recording is in the player.
    choose_file(page, EXAMPLES / "german.flac")
    page.locator("#answer .verdict b", has_text="German").wait_for()


DROP = """async ([place, address]) => {
  const blob = await (await fetch(address)).blob();
  const transfer = new DataTransfer();
  transfer.items.add(new File([blob], "dropped.flac"));
  for (const kind of ["dragenter", "dragover", "drop"])
    document.querySelector(place).dispatchEvent(
      new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""


@pytest.mark.parametrize("place", ["#drop button", "#title", "#answer", "body"])
def test_a_drop_anywhere_is_taken_and_never_leaves_the_page(page, url, place):
    address = f"{url}gradio_api/file={EXAMPLES / 'italian.flac'}"
    page.evaluate(DROP, [place, address])
    wait_for_answer(page)
    assert page.locator("#answer .verdict b").inner_text() == "Italian"
    assert page.url == url
