// The page's own script. Gradio shows and moves values; this decides which answer is shown, and
// ties the strip of segments to the player.
window.langid = (() => {
  let ticket = 0; // of the recording in the player; every new one, and none, has a new ticket
  let root = null; // element of the answer
  let trigger = null;

  const $ = (selector, from = document) => from.querySelector(selector);
  const player = () => $("#recording audio");

  // language.js has chosen the page's language. Gradio knows no Italian, and would stay English.
  const html = document.documentElement;
  const code = (tag) => tag.toLowerCase().split("-")[0];
  const language = () => (code(html.lang) in langidTexts ? code(html.lang) : "en");
  if (html.lang !== navigator.language) window.langidChangeLocale?.(navigator.language);
  function say(key, values = {}) {
    const text = langidTexts[language()][key];
    return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }
  // Elements of Gradio without a name, or with one in English only.
  const NAMES = {
    "#recording audio": "page.recording",
    "#drop .upload-container": "page.drop",
    "#live-microphone audio": "page.microphone",
    "#batch-drop .upload-container": "page.many_drop",
    "#candidates fieldset": "page.candidates",
    "#batch-candidates fieldset": "page.candidates",
  };
  function nameElements() {
    for (const [selector, key] of Object.entries(NAMES))
      $(selector)?.setAttribute("aria-label", say(key));
  }
  // A new player comes with every recording, the candidates when they are unfolded.
  new MutationObserver(nameElements).observe(html, { childList: true, subtree: true });
  document.addEventListener("focusin", nameElements);

  // Elements with data-text="key" say that text, in the language of now.
  function translate() {
    document.title = say("page.title");
    for (const element of document.querySelectorAll("[data-text]"))
      element.textContent = say(element.dataset.text);
    nameElements();
  }
  new MutationObserver(() => {
    translate();
    trigger?.("language");
  }).observe(html, { attributeFilter: ["lang"] });

  // Settings that the browser keeps: lists of strings.
  function keep(key, value) {
    try {
      localStorage.setItem(`langid.${key}`, JSON.stringify(value));
    } catch {} // not allowed: the next visit begins anew
    return value;
  }
  function kept(key, all) {
    let value = null;
    try {
      value = JSON.parse(localStorage.getItem(`langid.${key}`));
    } catch {}
    const known = Array.isArray(value) ? all.filter((each) => value.includes(each)) : [];
    return known.length ? known : all;
  }

  // The tab that was chosen on the last visit.
  const TABS = ["recording", "live", "many"];
  document.addEventListener("click", ({ target }) => {
    const tab = target.closest?.("[role=tab]");
    if (tab) keep("tab", [tab.id.replace(/^tab-(.*)-button$/, "$1")]);
  });
  function openTab() {
    const [name] = kept("tab", TABS);
    if (name !== TABS[0]) $(`#tab-${name}-button`)?.click();
  }

  // A recording came into the player (or left it): its ticket, which the answer must bear.
  function begin(audio) {
    ticket += 1;
    if (!audio) sayInPlace("#player-problem", "");
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
    const focused = root.contains(document.activeElement) ? document.activeElement : null;
    const name = focused && (focused.className || focused.tagName);
    const place = focused && named(name).indexOf(focused);
    const open = $("details", root)?.open;
    $(".body", root).innerHTML = html;
    root.dataset.state = state;
    if (open && $("details", root)) $("details", root).open = true;
    // One stop of the Tab key for the whole strip: the arrow keys move within it.
    segments().forEach((segment, i) => (segment.tabIndex = i === 0 ? 0 : -1));
    if (focused) (named(name)[place] ?? $(".result, .problem", root))?.focus({ preventScroll: true });
    if (state !== "working") $(".announcement", root).textContent = words;
    movePlayhead();
  }

  const named = (name) => [...root.querySelectorAll(/^[A-Z]/.test(name) ? name : `.${name}`)];
  const segments = () => [...root.querySelectorAll(".segment")];

  // Left, Right, Home and End go from segment to segment.
  function moveFocus(event) {
    const all = segments();
    const at = all.indexOf(event.target);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: all.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    all[Math.max(0, Math.min(to, all.length - 1))].focus();
  }

  function attach(element, events) {
    root = element;
    trigger = (event) => events[event](event);
    translate();
    openTab();
    root.addEventListener("click", (event) => {
      if (event.target.closest(".cancel")) trigger("cancel");
      const lanes = event.target.closest(".lanes");
      if (lanes) seek(event, lanes);
    });
    root.addEventListener("keydown", moveFocus);
    for (const kind of ["mouseover", "focusin", "click"])
      root.addEventListener(kind, (event) => {
        const segment = event.target.closest(".segment");
        if (!segment) return;
        $(".detail", root).textContent = segment.getAttribute("aria-label");
        if (kind === "focusin")
          for (const each of segments()) each.tabIndex = each === segment ? 0 : -1;
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

  // Formats that the server reads and the browser does not: the player stays silent.
  for (const kind of ["loadstart", "loadedmetadata", "error"])
    document.addEventListener(
      kind,
      ({ target }) => {
        const unplayable = kind === "error" && target.getAttribute("src");
        if (target === player())
          sayInPlace("#player-problem", unplayable ? say("script.unplayable") : "");
      },
      true,
    );

  // Uploads that come to nothing: what Gradio says of it is gone after ten seconds.
  const { fetch } = window;
  window.fetch = async (...request) => {
    const isUpload = /\/upload(\?|$)/.test(request[0]?.url ?? request[0]);
    if (isUpload) sayInPlace(".upload-problem", "");
    try {
      const response = await fetch(...request);
      if (isUpload && response.status === 507) sayInPlace(".upload-problem", say("work.disk_full"));
      return response;
    } catch (error) {
      if (isUpload) sayInPlace(".upload-problem", say("script.upload_lost"));
      throw error;
    }
  };

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
    NotAllowedError: "script.microphone_blocked",
    NotFoundError: "script.microphone_missing",
    NotReadableError: "script.microphone_busy",
  };
  function sayInPlace(place, sentence) {
    for (const element of document.querySelectorAll(`${place} p`)) element.textContent = sentence;
  }
  const sayMicrophone = (sentence) => sayInPlace(".microphone-problem", sentence);
  const devices = navigator.mediaDevices;
  if (devices) {
    const ask = devices.getUserMedia.bind(devices);
    devices.getUserMedia = async (constraints) => {
      try {
        const stream = await ask(constraints);
        sayMicrophone("");
        return stream;
      } catch (error) {
        const key = MICROPHONE[error.name] ?? "script.microphone_failed";
        sayMicrophone(say(key, { reason: error.message }));
        throw error;
      }
    };
  }
  const checkMicrophone = () =>
    devices || sayMicrophone(say("script.insecure"));

  // An example, as a file that the server has already.
  const example = (path) => ({
    path,
    url: `${window.gradio_config?.root ?? ""}/gradio_api/file=${encodeURI(path)}`,
    orig_name: path.split("/").pop(),
    mime_type: "audio/flac",
    meta: { _type: "gradio.FileData" },
  });

  return {
    begin, show, attach, checkMicrophone, example, language, say, translate, keep, kept,
    ticket: () => ticket,
  };
})();
