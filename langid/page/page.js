// The page's own script. Gradio shows and moves values; this decides which answer is shown, and
// ties the strip of segments to the player.
window.langid = (() => {
  let ticket = 0; // of the recording in the player; every new one, and none, has a new ticket
  let root = null; // element of the answer
  let trigger = null;

  const $ = (selector, from = document) => from.querySelector(selector);
  const player = () => $("#recording audio");

  // A recording came into the player (or left it): its ticket, which the answer must bear.
  function begin(audio) {
    ticket += 1;
    render("", "empty", "");
    if (audio) render('<div class="working"><progress max="1"></progress></div>', "working", "");
    return ticket;
  }

  // An answer arrived. It is dropped unless its recording is still in the player.
  function show(value) {
    if (!value || value.ticket !== ticket) return;
    const scroll = value.state === "done" && root.dataset.state === "working";
    render(value.html, value.state, value.words);
    if (scroll) root.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }

  function render(html, state, words) {
    if (!root) return;
    const focused = root.contains(document.activeElement) && document.activeElement.className;
    const open = $("details", root)?.open;
    $(".body", root).innerHTML = html;
    root.dataset.state = state;
    if (open && $("details", root)) $("details", root).open = true;
    if (focused) root.getElementsByClassName(focused)[0]?.focus();
    if (state !== "working") $(".announcement", root).textContent = words;
    movePlayhead();
  }

  function attach(element, fire) {
    root = element;
    trigger = fire;
    root.addEventListener("click", (event) => {
      if (event.target.closest(".cancel")) trigger("cancel");
      const lanes = event.target.closest(".lanes");
      if (lanes) seek(event, lanes);
    });
    for (const kind of ["mouseover", "focusin", "click"])
      root.addEventListener(kind, (event) => {
        const segment = event.target.closest(".segment");
        if (segment) $(".detail", root).textContent = segment.getAttribute("aria-label");
      });
  }

  function seek(event, lanes) {
    const audio = player();
    if (!audio || !audio.src) return;
    const box = lanes.getBoundingClientRect();
    const byMouse = event.detail > 0; // a key pressed on a segment goes to its start
    const segment = event.target.closest(".segment");
    audio.currentTime = byMouse
      ? ((event.clientX - box.left) / box.width) * duration()
      : Number(segment?.dataset.start ?? 0);
    movePlayhead();
  }

  const duration = () => Number($(".track", root)?.dataset.duration ?? 0);

  function movePlayhead() {
    const head = root && $(".playhead", root);
    const audio = player();
    if (!head || !audio || !duration()) return;
    head.hidden = audio.currentTime === 0 && audio.paused;
    head.style.left = `${Math.min(100, (100 * audio.currentTime) / duration())}%`;
  }
  for (const kind of ["timeupdate", "seeked", "play", "pause"])
    document.addEventListener(kind, movePlayhead, true); // media events do not bubble

  // A file dropped beside the drop area must not replace the page: it goes there.
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    if (event.defaultPrevented) return; // an area took it
    event.preventDefault();
    const files = event.dataTransfer?.files;
    const input = $("#drop input[type=file]");
    if (!files?.length || !input) return;
    const transfer = new DataTransfer();
    transfer.items.add(files[0]);
    input.files = transfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });

  // What the browser says of the microphone, in words that help.
  const MICROPHONE = {
    NotAllowedError:
      "The browser blocks the microphone for this page. To allow it, click the icon to the left " +
      "of the address, set the microphone to “allow”, and press Record again; or drop a file.",
    NotFoundError:
      "No microphone was found: plug one in or switch it on, and press Record again; or drop a " +
      "file.",
    NotReadableError:
      "The microphone is in use by another program: close that one, and press Record again; or " +
      "drop a file.",
  };
  function sayMicrophone(sentence) {
    for (const id of ["microphone-problem", "live-microphone-problem"]) {
      const place = $(`#${id} p`);
      if (place) place.textContent = sentence;
    }
  }
  const devices = navigator.mediaDevices;
  if (devices) {
    const ask = devices.getUserMedia.bind(devices);
    devices.getUserMedia = async (constraints) => {
      try {
        const stream = await ask(constraints);
        sayMicrophone("");
        return stream;
      } catch (error) {
        sayMicrophone(MICROPHONE[error.name] ?? `The microphone cannot be used: ${error.message}.`);
        throw error;
      }
    };
  }
  const checkMicrophone = () =>
    devices || sayMicrophone("Recording needs a secure address (https): open the page by one.");

  // An example, as a file that the server has already.
  const example = (path) => ({
    path,
    url: `${window.gradio_config?.root ?? ""}/gradio_api/file=${encodeURI(path)}`,
    orig_name: path.split("/").pop(),
    mime_type: "audio/flac",
    meta: { _type: "gradio.FileData" },
  });

  return { begin, show, attach, checkMicrophone, example, ticket: () => ticket };
})();
