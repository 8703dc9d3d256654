// The live tab: its answers come and go with the streaming microphone.
window.langid.live = (() => {
  const LATE_MS = 30000; // without an answer, the server is not there any more
  let run = 0; // of the microphone; every press of Record has a number of its own
  let root = null; // element of the answer
  let late = null; // timer

  const $ = (selector, from = document) => from.querySelector(selector);
  const { say } = window.langid;
  const press = () => $("#live-microphone :is(.stop-button, .spinner-button)")?.click();

  // The microphone starts: the run, whose number the answers bear.
  function begin() {
    run = Date.now();
    render({ state: "listening", status: `<p class="listening">${say("script.live_listening")}</p>`, html: "" });
    return run;
  }

  // An answer arrived. The microphone stops with the last one, and with the tab.
  function show(value) {
    if (!value || value.run !== run || root.dataset.state !== "listening") return;
    render(value);
    if (value.state !== "listening" || root.offsetParent === null) press();
  }

  // The microphone stopped, whoever stopped it: the run that is over. The last answer stays.
  function end() {
    clearTimeout(late);
    if (root?.dataset.state === "listening") {
      root.dataset.state = "stopped";
      $(".status", root).innerHTML = `<p class="stopped">${say("script.live_stopped")}</p>`;
    }
    return run;
  }

  function lost() {
    render({ state: "stopped", status: `<p class="problem">${say("script.live_lost")}</p>` });
    press();
  }

  function render({ state, status, html, words }) {
    clearTimeout(late);
    if (!root) return;
    if (state === "listening") late = setTimeout(lost, LATE_MS);
    root.dataset.state = state;
    $(".status", root).innerHTML = status;
    if (html !== undefined && html !== null) $(".body", root).innerHTML = html;
    const announcement = $(".announcement", root);
    if (words && announcement.textContent !== words) announcement.textContent = words;
  }

  function attach(element) {
    root = element;
    window.langid.translate();
    window.langid.checkMicrophone();
  }

  return { begin, show, end, attach };
})();
