// The tab "Many files": which files are uploaded, and which batch's table is shown.
window.langid.batch = (() => {
  let ticket = 0; // of the newest batch
  let root = null; // element of the table
  let events = {}; // functions that fire the events of the table
  let maxFiles = Infinity;
  let uploaded = null; // files of the next batch
  let leftOut = []; // names of those that are too large to upload
  let isPassing = false; // files that were looked at go on to Gradio

  const $ = (selector, from = document) => from.querySelector(selector);
  const input = () => $("#batch-drop input[type=file]");

  function attach(element, most, triggers) {
    root = element;
    events = triggers;
    maxFiles = most;
    window.langid.translate();
    root.dataset.state = "empty";
    root.addEventListener("click", (event) => {
      if (event.target.closest(".cancel")) events.cancel();
    });
  }

  // Files were uploaded, or none is left to upload: the server says what becomes of them.
  function start(files) {
    uploaded = files;
    events.start();
    return null;
  }

  // A new batch: its files, its ticket, which its tables must bear, and what was left out.
  function begin() {
    ticket += 1;
    render('<div class="working"><progress max="1"></progress></div>', "working", "");
    return [uploaded, ticket, leftOut];
  }

  function show(value) {
    if (value && value.ticket === ticket) render(value.html, value.state, value.words);
  }

  function render(html, state, words) {
    const rows = () => $(".rows", root);
    const place = rows() && [rows().scrollLeft, rows().scrollTop];
    const focused = root.contains(document.activeElement) && document.activeElement.className;
    $(".body", root).innerHTML = html;
    root.dataset.state = state;
    if (place && rows()) [rows().scrollLeft, rows().scrollTop] = place;
    if (focused) (root.getElementsByClassName(focused)[0] ?? rows())?.focus();
    if (state !== "working") $(".announcement", root).textContent = words;
  }

  // Files that a visitor chose or dropped. One that is too large would keep the others from being
  // uploaded, so it only gets its row.
  function take(files) {
    const most = window.gradio_config?.max_file_size ?? Infinity;
    const isTaken = (file) => files.length <= maxFiles && file.size <= most;
    const taken = files.filter(isTaken);
    leftOut = files.filter((file) => !isTaken(file)).map((file) => file.name);
    if (!files.length) return;
    if (!taken.length) return start(null);
    const transfer = new DataTransfer();
    for (const file of taken) transfer.items.add(file);
    isPassing = true;
    input().files = transfer.files;
    input().dispatchEvent(new Event("change", { bubbles: true }));
    isPassing = false;
  }

  // All files of a drop, also those in folders.
  async function filesOf(transfer) {
    const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const files = [...transfer.files];
    if (!entries.some((entry) => entry.isDirectory)) return files;
    const found = [];
    for (const entry of entries) for await (const file of walk(entry)) found.push(file);
    return found;
  }
  async function* walk(entry) {
    if (entry.isFile) {
      const file = await new Promise((done, fail) => entry.file(done, fail));
      if (!file.name.startsWith(".")) yield file; // what file managers keep in folders
      return;
    }
    const reader = entry.createReader();
    for (let some; (some = await new Promise((done, fail) => reader.readEntries(done, fail))).length; )
      for (const inner of some) yield* walk(inner);
  }

  document.addEventListener(
    "change",
    (event) => {
      if (isPassing || event.target !== input()) return;
      event.stopPropagation();
      take([...event.target.files]);
    },
    true
  );
  // While the tab is open, a drop anywhere on the page is for it.
  document.addEventListener(
    "drop",
    (event) => {
      if (!input()?.closest("#batch-drop").checkVisibility()) return;
      if (!event.dataTransfer?.files.length) return;
      event.preventDefault();
      event.stopPropagation();
      event.target.dispatchEvent(new DragEvent("dragleave", { bubbles: true }));
      filesOf(event.dataTransfer).then(take);
    },
    true
  );

  return { attach, start, begin, show, ticket: () => ticket };
})();
