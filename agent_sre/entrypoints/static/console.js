// Live updates. The server says "changed"; this fetches the same page and swaps the parts that differ. Without it, every
// page and form works as it is. Open details, typed text and focus survive a swap.
"use strict";
(() => {
  const body = document.body;
  const live = document.getElementById("live");
  const RELOAD_MS = 10000;
  let revision = body.dataset.revision;
  let fetching = false;
  let again = false;
  let polling = null;

  function say(text, on) {
    if (!live) return;
    live.hidden = false;
    live.textContent = text;
    live.classList.toggle("off", !on);
  }

  function ago(seconds) {
    const length = Math.abs(seconds);
    if (length < 10) return "just now";
    for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]]) {
      if (length >= size) {
        const text = `${Math.floor(length / size)} ${unit}`;
        return seconds > 0 ? `${text} ago` : `in ${text}`;
      }
    }
    return "just now";
  }

  function tick() {
    for (const item of document.querySelectorAll("[data-ago]")) {
      const text = ago((Date.now() - Date.parse(item.dataset.ago)) / 1000);
      if (item.textContent !== text) item.textContent = text;
    }
  }

  // What a part says, without what the clock and the session change by themselves.
  function essence(part) {
    const copy = part.cloneNode(true);
    for (const item of copy.querySelectorAll("[data-ago]")) item.textContent = "";
    for (const item of copy.querySelectorAll("details")) item.removeAttribute("open");
    return copy.innerHTML;
  }

  function keep(old, fresh) {
    for (const item of old.querySelectorAll("details[id]")) {
      const twin = fresh.querySelector(`#${CSS.escape(item.id)}`);
      if (twin) twin.open = item.open;
    }
    for (const item of old.querySelectorAll("input[id]")) {
      const twin = fresh.querySelector(`#${CSS.escape(item.id)}`);
      if (twin && item.value) twin.value = item.value;
    }
  }

  function swap(page) {
    for (const old of document.querySelectorAll("[data-live]")) {
      const fresh = page.querySelector(`[data-live="${CSS.escape(old.dataset.live)}"]`);
      if (!fresh) { old.remove(); continue; }
      if (essence(old) === essence(fresh)) continue;
      const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
      keep(old, fresh);
      fresh.classList.add("changed");
      old.replaceWith(fresh);
      if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    }
    insertNew(page);
    document.title = page.title;
    revision = page.body.dataset.revision;
  }

  // Parts that the page did not have before go after the part that precedes them in the fresh page.
  function insertNew(page) {
    let previous = null;
    for (const fresh of page.querySelectorAll("[data-live]")) {
      const here = document.querySelector(`[data-live="${CSS.escape(fresh.dataset.live)}"]`);
      if (!here && previous) { previous.after(fresh); previous = fresh; } else if (here) { previous = here; }
    }
  }

  async function refresh() {
    if (fetching) { again = true; return; }
    fetching = true;
    try {
      const answer = await fetch(location.pathname + location.search, { credentials: "same-origin" });
      if (answer.redirected && new URL(answer.url).pathname === "/login") { location.reload(); return; }
      if (answer.ok) swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch (error) {
      say("Not connected", false);
    } finally {
      fetching = false;
      if (again) { again = false; refresh(); }
    }
  }

  function poll() {
    if (polling === null) polling = setInterval(refresh, RELOAD_MS);
    say("Reloading every 10 s", false);
  }

  function listen() {
    const source = new EventSource(body.dataset.stream);
    source.onopen = () => say("Live", true);
    source.addEventListener("changed", (event) => { if (event.data !== revision) refresh(); });
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) poll();
      else say("Reconnecting", false);
    };
    addEventListener("pagehide", () => source.close());
  }

  // A cited id leads to a closed fold: open what it points at and all folds around it.
  function reveal() {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    target.scrollIntoView({ block: "nearest" });
  }

  addEventListener("hashchange", reveal);
  reveal();
  setInterval(tick, 5000);
  tick();
  // A second press while the first is on its way would only be told that it came second.
  addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
  });
  addEventListener("pageshow", () => { for (const form of document.forms) delete form.dataset.sent; });
  if (body.dataset.stream) { if ("EventSource" in window) listen(); else poll(); }
})();
