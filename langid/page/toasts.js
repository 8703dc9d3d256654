// Gradio's own errors come up in a corner of the page, in English whatever the page's language:
// what a visitor can meet is said in the words of the page.
(() => {
  const { language, say } = window.langid;
  const TEXT = "[data-testid=toast-text]:not([lang])";
  const TITLES = { Error: "script.error", "Connection Lost": "script.lost_title" };
  const SENTENCES = { // how Gradio's begin
    "File(s) exceed the maximum allowed size": "batch.too_large",
    "HTTP 413": "batch.too_large",
    "HTTP 507": "work.disk_full",
    "This application is currently busy": "work.busy",
    "Connection errored out": "script.unreachable",
    "Connection to the server was lost": "script.lost",
  };

  function translate(text) {
    const said = Object.keys(SENTENCES).find((start) => text.textContent.startsWith(start));
    text.lang = said ? language() : "en";
    if (!said) return;
    text.textContent = say(SENTENCES[said]);
    const title = text.closest("[data-testid=toast-body]").querySelector(".toast-title")?.firstChild;
    const key = TITLES[title?.data?.trim()];
    if (key) title.data = `${say(key)} `;
  }
  new MutationObserver(() => document.querySelectorAll(TEXT).forEach(translate)).observe(
    document.documentElement,
    { childList: true, subtree: true },
  );
})();
