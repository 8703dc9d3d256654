// Before anything of Gradio, which would take the first of the visitor's languages, and keeps some
// of the words that it draws first: the page is in the first one that there are texts in.
{
  const known = LANGUAGES;
  const codes = navigator.languages.map((tag) => tag.toLowerCase().split("-")[0]);
  const language = codes.find((code) => known.includes(code)) ?? "en";
  Object.defineProperty(navigator, "language", { value: language, configurable: true });
  document.documentElement.lang = language;
}
