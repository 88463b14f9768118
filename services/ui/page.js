// The query that the address names, until the page has opened it: what the browser remembers must not take its place.
window.folkmootLinked = new URLSearchParams(location.search).get("job") || "";

// Buttons inside what the server draws; everything else of the page is Gradio's.
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("button[data-copy]");
  if (!button) return;
  const label = button.textContent;
  const text = button.closest("section").querySelector(".fm-md").innerText;
  try {
    await copy(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not copied";
  }
  setTimeout(() => { button.textContent = label; }, 2000);
});

// Browsers give the clipboard to secure pages alone; the older way serves a plain address in a local network.
async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const box = document.body.appendChild(Object.assign(document.createElement("textarea"), { value: text }));
  box.select();
  const done = document.execCommand("copy");
  box.remove();
  if (!done) throw new Error("the browser refused");
}
