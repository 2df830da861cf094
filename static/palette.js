// Ctrl K: find people, calls and campaigns on the server, and the pages and actions that this page offers.
// What is opened is remembered by its id alone: names of people stay on the server.
(() => {
  "use strict";
  const palette = document.getElementById("palette");
  if (!palette) return;
  const field = document.getElementById("palette-q");
  const foundPart = document.getElementById("palette-found");
  const herePart = document.getElementById("palette-here");
  const says = document.getElementById("palette-says");
  const WAIT_MS = 150;
  const MOST_RECENT = 6;

  const options = () => [...palette.querySelectorAll('[role="option"]')];
  let active = null;
  const choose = (option) => {
    active?.setAttribute("aria-selected", "false");
    active = option || null;
    active?.setAttribute("aria-selected", "true");
    active?.scrollIntoView({ block: "nearest" });
    if (active) field.setAttribute("aria-activedescendant", active.id);
    else field.removeAttribute("aria-activedescendant");
  };
  const step = (by) => {
    const all = options();
    if (!all.length) return;
    const place = all.indexOf(active);
    choose(all[(place + by + all.length) % all.length]);
  };

  // Pages and actions: what the sidebar, the top bar and the head of the page itself offer to this person, and
  // what can be made new.

  const labelOf = (element) => {
    const label = element.querySelector(".only-wide, .label") || element;
    const text = label.querySelector(".only-wide")?.textContent || label.textContent;
    return (element.dataset.palette || text.trim() || element.getAttribute("aria-label") || "").trim();
  };
  // Without accents: who looks for configuracion finds Configuración.
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const wordsOf = (text) => plain(text).split(/\s+/).filter(Boolean);
  const OFFERS = ".nav a[href], .head-end :is(a[href], button), [data-palette]";
  const offered = () => {
    const byLabel = new Map();
    document.querySelectorAll(OFFERS).forEach((element) => {
      const label = labelOf(element);
      if (label && !byLabel.has(label)) byLabel.set(label, element);
    });
    return [...byLabel.values()];
  };
  const fits = (label, terms) => {
    const words = wordsOf(label);
    return terms.every((term) => words.some((word) => word.startsWith(term)));
  };
  const optionOf = (element, number) => {
    const option = document.createElement("div");
    option.className = "palette-option";
    option.id = `palette-here-${number}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    const icon = element.querySelector("svg");
    if (icon) option.append(icon.cloneNode(true));
    const name = document.createElement("span");
    name.textContent = labelOf(element);
    option.append(name);
    if (element.dataset.go) {
      const key = document.createElement("kbd");
      key.textContent = `G ${element.dataset.go.toUpperCase()}`;
      key.setAttribute("aria-hidden", "true");
      option.append(key);
    }
    option.addEventListener("click", () => {
      palette.close();
      element.click();
    });
    return option;
  };
  const showHere = (terms) => {
    const shown = offered().filter((element) => fits(labelOf(element), terms)).map(optionOf);
    const head = document.createElement("p");
    head.className = "palette-group";
    head.setAttribute("aria-hidden", "true");
    head.textContent = palette.dataset.here;
    herePart.replaceChildren(...(shown.length ? [head, ...shown] : []));
  };

  // What the server finds. A later question takes the place of one under way.

  const recent = () => (localStorage.getItem("recent") || "").split(",").filter((id) => /^[a-z]+_[a-z0-9]+$/.test(id));
  const remember = (id) => {
    localStorage.setItem("recent", [id, ...recent().filter((one) => one !== id)].slice(0, MOST_RECENT).join(","));
  };
  let waiting = 0;
  let asking = null;
  const tell = () => {
    const count = options().length;
    const { nothing, one, many } = palette.dataset;
    says.textContent = count ? (count === 1 ? one : many.replace("%n", count)) : nothing;
  };
  const ask = async () => {
    asking?.abort();
    asking = new AbortController();
    const text = field.value.trim();
    const query = new URLSearchParams(text ? { q: text } : { recent: recent().join(",") });
    if (!text && !recent().length) {
      foundPart.replaceChildren();
      choose(options()[0]);
      return;
    }
    try {
      const answer = await fetch(`${palette.dataset.find}?${query}`, {
        headers: { "HX-Request": "true" },
        signal: asking.signal,
      });
      if (answer.headers.has("HX-Refresh")) location.reload();
      if (!answer.ok || field.value.trim() !== text) return;
      foundPart.innerHTML = await answer.text();
    } catch (error) {
      if (error.name !== "AbortError") foundPart.replaceChildren();
      return;
    }
    choose(options()[0]);
    tell();
  };
  const look = () => {
    showHere(wordsOf(field.value));
    if (!active?.isConnected) choose(options()[0]);
    clearTimeout(waiting);
    waiting = setTimeout(ask, WAIT_MS);
  };

  const open = () => {
    if (palette.open) {
      field.select();
      return;
    }
    document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
    field.value = "";
    foundPart.replaceChildren();
    palette.showModal();
    field.focus();
    showHere([]);
    choose(options()[0]);
    ask();
  };

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      if (palette.open) palette.close();
      else open();
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-palette-open]") && !(event.ctrlKey || event.metaKey || event.shiftKey)) {
      event.preventDefault();
      open();
    }
  });
  field.addEventListener("input", look);
  field.addEventListener("keydown", (event) => {
    const act = { ArrowDown: () => step(1), ArrowUp: () => step(-1), Enter: () => active?.click() }[event.key];
    if (!act || event.isComposing) return;
    event.preventDefault();
    act();
  });
  palette.addEventListener("click", (event) => {
    const option = event.target.closest("[data-recent]");
    if (option) remember(option.dataset.recent);
  });
  palette.addEventListener("pointermove", (event) => {
    const option = event.target.closest('[role="option"]');
    if (option && option !== active) choose(option);
  });

  // The help tells which letters lead where.

  const help = document.getElementById("help-go");
  document.querySelectorAll(".nav a[data-go]").forEach((link) => {
    const line = document.createElement("div");
    const keys = document.createElement("dt");
    const name = document.createElement("dd");
    for (const letter of ["G", link.dataset.go.toUpperCase()]) {
      const key = document.createElement("kbd");
      key.textContent = letter;
      keys.append(key, " ");
    }
    name.textContent = labelOf(link);
    line.append(keys, name);
    help?.append(line);
  });
})();
