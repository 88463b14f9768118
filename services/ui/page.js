// The query that the address names, until the page has opened it: what the browser remembers must not take its place.
window.folkmootLinked = new URLSearchParams(location.search).get("job") || "";

// What the page shows: a place of the workspace, and in the first of them a query. The address says it.
window.folkmootAt = { place: new URLSearchParams(location.search).get("view") || "ask", job_id: "" };
window.folkmootGo = (there) => {
  const at = Object.assign(window.folkmootAt, there);
  const asked = at.job_id ? `/?job=${encodeURIComponent(at.job_id)}` : "/";
  history.replaceState(null, "", at.place === "ask" ? asked : `/?view=${at.place}`);
};

// Whoever asked or opened something wants to see it, wherever the page was scrolled to.
window.folkmootShowAnswer = () => {
  const answer = document.getElementById("fm-live");
  const top = answer?.getBoundingClientRect().top ?? 0;
  if (top < 0 || top > window.innerHeight * 0.25) {
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    answer.scrollIntoView({ behavior: calm ? "auto" : "smooth" });
  }
};

// Links and buttons inside a list that the server draws: what was chosen goes back to it as an event.
window.folkmootActions = (element, trigger, ...actions) => {
  element.addEventListener("click", async (event) => {
    const chosen = event.target.closest?.("[data-action]");
    // A link that is to open elsewhere is the browser's.
    if (!chosen || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const { action, subject, text } = chosen.dataset;
    event.preventDefault();
    if (!actions.includes(action) || chosen.getAttribute("aria-disabled") === "true") return;
    if (action === "delete" && !(await confirmed(text))) return;
    trigger(action, { subject });
  });
};

// Asks before a question is deleted; Escape keeps it.
function confirmed(text) {
  const dialog = Object.assign(document.createElement("dialog"), { className: "fm-dialog" });
  dialog.setAttribute("aria-labelledby", "fm-dialog-title");
  dialog.innerHTML = `<form method="dialog"><h2 id="fm-dialog-title">Delete this question?</h2><p class="fm-asked"></p>
    <p>Its responses, consensus and analysis go with it. You can undo this for ten seconds.</p>
    <div><button value="keep" autofocus>Keep it</button><button value="delete" class="bad">Delete it</button></div></form>`;
  dialog.querySelector(".fm-asked").textContent = text;
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "delete");
      dialog.remove();
    });
  });
}

// A chart that is still being drawn is asked for again; one that cannot be had leaves the reason in its place.
document.addEventListener("error", (event) => { if (event.target.matches?.(".fm-charts img")) chart(event.target); }, true);

async function chart(picture) {
  const place = picture.parentElement;
  const words = place.querySelector(".fm-absent")
    ?? picture.insertAdjacentElement("afterend", Object.assign(document.createElement("p"), { className: "fm-absent" }));
  words.setAttribute("role", "status");
  picture.hidden = true;
  for (;;) {
    const answer = await fetch(picture.src).catch(() => null);
    if (answer?.ok) break;
    words.textContent = answer ? await answer.text() : "Folkmoot cannot be reached just now; this is tried again.";
    if (answer && ![409, 503].includes(answer.status)) return;
    await new Promise((resolve) => { setTimeout(resolve, 3000); });
    if (!picture.isConnected) return;
  }
  words.remove();
  picture.hidden = false;
  picture.src = picture.src;
}

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

// Signs in, or with `more` makes an account first. It is the browser that does it: the gateway has to know from where.
window.folkmootEnter = async (username, password, more) => {
  try {
    if (more) await send("POST", "/api/v1/users", { username, password, ...more });
    await send("POST", "/session", await send("POST", "/api/v1/sessions", { username, password }));
    window.folkmootLeft = false;
    return [username, "", ""];
  } catch (refusal) {
    return [username, refusal.sentence ?? AWAY, more?.invitation ?? ""];
  }
};

window.folkmootPassword = (current, next) => told("PUT", "/password", { current, new: next });

// With a key it is set, without one removed.
window.folkmootKey = (provider, key) => told(key === undefined ? "DELETE" : "PUT", "/provider-key", { provider, key });

// Whoever leaves by themselves needs not be told that the session has ended, by a step that was under way meanwhile.
window.folkmootLeave = async (username, password) => {
  window.folkmootLeft = true;
  const [sentence, tone] = await told("DELETE", "/account", { username, password });
  window.folkmootLeft = tone !== "bad";
  return [sentence, tone];
};

async function told(method, address, content) {
  try {
    return [(await send(method, address, content)).detail, "idle"];
  } catch (refusal) {
    return [refusal.sentence ?? AWAY, "bad"];
  }
}

const AWAY = "Folkmoot cannot be reached just now; try again shortly.";

async function send(method, address, content) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(address, { method, headers, body: JSON.stringify(content) });
  const said = await answer.json();
  if (answer.ok) return said;
  throw { sentence: said.errors?.map((each) => each.detail).join(" ") || said.detail };
}
