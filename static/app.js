// What the browser adds to the pages: dialogs, keys, choosing rows, timers, the theme.
// Every page works without it, but for the live preview and the live parts.
(() => {
  "use strict";
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Theme

  const root = document.documentElement;
  const theme = () => root.dataset.theme || "auto";
  // Kept in the account. A page that the server wrote before it had this takes it from here.
  const OPENED_MS = 5000;
  const saveLook = async (change) => {
    Object.assign(root.dataset, change);
    localStorage.setItem("theme", theme());
    const unsaved = JSON.stringify({ ...JSON.parse(localStorage.getItem("look-unsaved") || "{}"), ...change });
    localStorage.setItem("look-unsaved", unsaved);
    const form = one("#look");
    if (!form) return;
    const body = new FormData(form);
    Object.entries(JSON.parse(unsaved)).forEach(([name, value]) => body.set(name, value));
    const answer = await fetch(form.action, {
      method: "POST", body: new URLSearchParams(body), headers: { "HX-Request": "true" }, keepalive: true,
    }).catch(() => null);
    if (answer?.status !== 204) return;
    // The next page may be on its way since before: it still finds it.
    setTimeout(() => {
      if (localStorage.getItem("look-unsaved") === unsaved) localStorage.removeItem("look-unsaved");
    }, OPENED_MS);
  };
  const setTheme = (value) => saveLook({ theme: value });
  const toggleTheme = () => {
    const dark = theme() === "dark" || (theme() === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
    setTheme(dark ? "light" : "dark");
  };

  // Dialogs: a link with data-modal opens its page's form in one; without JavaScript it is a page.

  const modal = one("#modal");
  const openModal = async (link) => {
    await htmx.ajax("GET", link.getAttribute("href"), { target: "#modal", swap: "innerHTML" });
  };
  const closeDialogs = () => all("dialog[open]").forEach((dialog) => dialog.close());

  // Choosing rows

  const bulk = one("#bulk");
  const picks = () => all('#results input[name="call"]');
  const chosen = new Set();
  const showChosen = () => {
    if (!bulk) return;
    picks().forEach((pick) => {
      pick.checked = chosen.has(pick.value);
      pick.closest("tr").classList.toggle("is-chosen", pick.checked);
    });
    const present = picks().filter((pick) => pick.checked).length;
    one("[data-count]", bulk).textContent = present;
    bulk.hidden = present === 0;
    const every = one("[data-pick-all]");
    if (every) {
      every.checked = present > 0 && present === picks().length;
      every.indeterminate = present > 0 && present < picks().length;
    }
  };
  const choose = (pick) => {
    if (pick.checked) chosen.add(pick.value);
    else chosen.delete(pick.value);
    showChosen();
  };

  // Keys. Single keys have a switch in the account (WCAG 2.1.4).

  const keysOn = () => root.dataset.keys !== "off";
  let row = -1;
  const goToRow = (step) => {
    const rows = all("[data-row]");
    if (!rows.length) return;
    row = Math.min(Math.max(row + step, 0), rows.length - 1);
    const link = one("a", rows[row]);
    link.focus();
    rows[row].scrollIntoView({ block: "nearest" });
  };
  const pickRow = () => {
    const pick = one('input[name="call"]', all("[data-row]")[row] || document.createElement("i"));
    if (pick) pick.click();
  };
  // G, then a letter: the link that has it.
  let goesUntil = 0;
  const GO_MS = 1500;
  const go = (letter) => {
    goesUntil = 0;
    one(`.nav a[data-go="${CSS.escape(letter)}"]`)?.click();
  };
  const KEYS = {
    g: () => (goesUntil = Date.now() + GO_MS),
    "/": () => one('[data-key="/"]')?.focus(),
    n: () => one('[data-key="n"]')?.click(),
    j: () => goToRow(1),
    k: () => goToRow(-1),
    x: pickRow,
    "?": () => one("#help").showModal(),
  };
  const isTyping = (target) => target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || one("dialog[open]")) return;
    if (isTyping(event.target)) {
      if (event.key === "Escape") event.target.blur();
      if (event.key === "Enter" && event.target.matches("[data-pick-first]")) {
        event.preventDefault();
        one("#contact-options button")?.click();
      }
      return;
    }
    if (keysOn() && Date.now() < goesUntil && event.key.length === 1) {
      event.preventDefault();
      go(event.key.toLowerCase());
      return;
    }
    const act = keysOn() && KEYS[event.key.toLowerCase()];
    if (act) {
      event.preventDefault();
      act();
    }
  });

  // Timers count by themselves between two looks at the server.

  const showTimers = () => {
    all("[data-since]").forEach((timer) => {
      const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(timer.dataset.since)) / 1000));
      const text = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
      if (timer.textContent !== text) timer.textContent = text;
    });
  };
  setInterval(showTimers, 1000);

  // Clicks

  const insert = (name) => {
    const area = one("#id_message");
    area.setRangeText(`{{ ${name} }}`, area.selectionStart, area.selectionEnd, "end");
    area.focus();
    area.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const setMoment = (chip) => {
    one("#id_date").value = chip.dataset.date;
    one("#id_time").value = chip.dataset.time;
    one("#id_time").dispatchEvent(new Event("change", { bubbles: true }));
  };
  const zones = one("#id_timezone");
  const myZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const offerZone = (button) => {
    if (zones.value === myZone || !one(`option[value="${myZone}"]`, zones)) return;
    one("b", button).textContent = myZone.replaceAll("_", " ");
    button.parentElement.hidden = false;
  };
  // Whoever never chose a zone is offered the browser's. UTC is what a browser says that does not tell.
  const proposeZone = (form) => {
    if (["UTC", "Etc/UTC", form.dataset.offerZone, undefined].includes(myZone)) return;
    one("b", form).textContent = myZone.replaceAll("_", " ");
    one("button", form).value = myZone;
    form.hidden = false;
  };
  const CLICKS = {
    "[data-modal]": (link, event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      openModal(link);
    },
    "[data-close]": (link, event) => {
      const dialog = link.closest("dialog");
      if (!dialog) return;
      event.preventDefault();
      dialog.close();
    },
    "[data-open]": (button) => one(`#${button.dataset.open}`).showModal(),
    "[data-theme-toggle]": (_button, event) => {
      event.preventDefault();
      toggleTheme();
    },
    "[data-unchoose]": () => {
      chosen.clear();
      showChosen();
    },
    "[data-insert]": (chip) => insert(chip.dataset.insert),
    "button[data-date]": setMoment,
    "[data-zone]": (button) => {
      zones.value = myZone;
      button.parentElement.hidden = true;
    },
  };
  document.addEventListener("click", (event) => {
    all("details.menu[open], details.filterbox[open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
    // A click beside an open dialog closes it.
    if (event.target.matches("dialog")) event.target.close();
    for (const [selector, act] of Object.entries(CLICKS)) {
      const element = event.target.closest(selector);
      if (element) act(element, event);
    }
  });
  document.addEventListener("keyup", (event) => {
    if (event.key === "Escape") all("details.menu[open], details.filterbox[open]").forEach((menu) => (menu.open = false));
  });
  document.addEventListener("change", (event) => {
    const target = event.target;
    if (target.matches('#results input[name="call"]')) choose(target);
    if (target.matches("[data-pick-all]")) picks().forEach((pick) => { pick.checked = target.checked; choose(pick); });
    if (target.matches("[data-theme-choice]")) setTheme(target.value);
    if (target.matches("[data-keys-choice]")) saveLook({ keys: target.checked ? "on" : "off" });
  });
  document.addEventListener("focusin", (event) => {
    const focused = event.target.closest("[data-row]");
    if (focused) row = all("[data-row]").indexOf(focused);
  });
  document.addEventListener("submit", (event) => {
    // A form sent twice makes one call anyway; this spares the second wait.
    // What goes to a tab of its own leaves this form to be sent.
    if (!event.target.matches("[data-once]") || event.submitter?.formTarget) return;
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "yes";
    setTimeout(() => delete event.target.dataset.sent, 5000);
  });

  // Live parts

  document.addEventListener("htmx:configRequest", (event) => {
    // Empty filters stay out of the address.
    if (!event.target.matches("#filters")) return;
    const { parameters } = event.detail;
    Object.keys(parameters).forEach((name) => parameters[name] === "" && delete parameters[name]);
  });

  // While a button or link is pressed nothing is replaced: a click whose element goes between its press and
  // its release is lost. What answers meanwhile is asked again at the release. (Pressing a button leaves the
  // field before it, which asks for a preview, which would replace that very button.)
  let pressed = false;
  const overdue = new Set();
  const release = () => {
    pressed = false;
    // After the click, which follows its pointerup.
    setTimeout(() => {
      overdue.forEach((part) => htmx.trigger(part, "refresh"));
      overdue.clear();
    });
  };
  document.addEventListener("pointerdown", (event) => {
    pressed = event.button === 0 && event.target.closest("a, button, summary, label") !== null;
  }, true);
  ["pointerup", "pointercancel", "dragend"].forEach((over) => document.addEventListener(over, release, true));
  window.addEventListener("blur", release);

  const last = new Map();
  let kept = [];
  let scrolled = [];
  // What answers when its part was replaced meanwhile is dropped. Only the part itself hears of it then.
  const dropLate = (event) => event.currentTarget.isConnected || event.preventDefault();
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.matches?.("[data-poll]") && document.hidden) event.preventDefault();
    event.detail.target.addEventListener("htmx:beforeSwap", dropLate);
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target, serverResponse, requestConfig } = event.detail;
    kept = [];
    scrolled = [];
    if (pressed && requestConfig.elt.matches("[data-poll], [data-live]")) {
      event.detail.shouldSwap = false;
      overdue.add(requestConfig.elt);
      return;
    }
    if (!requestConfig.elt.matches("[data-poll]")) {
      last.delete(target.id);
      return;
    }
    // Nothing new: leave the page alone, with whatever is open in it.
    if (last.get(target.id) === serverResponse) event.detail.shouldSwap = false;
    last.set(target.id, serverResponse);
    kept = all("details[id]").map((details) => [details.id, details.open]);
    scrolled = [".livecards", ".tabs"].map((strip) => [strip, one(strip)?.scrollLeft]);
  });
  const restore = () => {
    kept.forEach(([id, open]) => {
      const details = document.getElementById(id);
      if (details) details.open = open;
    });
    scrolled.forEach(([strip, left]) => one(strip)?.scrollTo({ left, behavior: "instant" }));
    showTimers();
    showChosen();
  };
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target === modal && !modal.open) {
      modal.showModal();
      one("input:not([type=hidden]), select, textarea", modal)?.focus();
    }
    restore();
  });
  // What is so already stays, with the focus in it, and is not told again.
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { fragment, target } = event.detail;
    if (!target.matches("[data-frame]")) return;
    const fresh = fragment.id === target.id ? fragment : fragment.firstElementChild;
    if (fresh?.isEqualNode(target)) event.detail.shouldSwap = false;
  });
  document.addEventListener("htmx:oobAfterSwap", (event) => {
    restore();
    if (event.detail.target.id === "turns") {
      event.detail.target.lastElementChild?.scrollIntoView({ block: "nearest", behavior: "smooth" });
    }
  });

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) all("[data-poll]").forEach((part) => htmx.trigger(part, "refresh"));
  });

  // At the start

  all("[data-theme-choice]").forEach((radio) => (radio.checked = radio.value === theme()));
  all("[data-keys-choice]").forEach((tick) => (tick.checked = keysOn()));
  all("[data-zone]").forEach(offerZone);
  all("[data-offer-zone]").forEach(proposeZone);
  window.addEventListener("pageshow", closeDialogs);
  showTimers();
  showChosen();

  // On a phone the bar of pages scrolls: where we are stands in its middle.

  const bar = one(".nav");
  const here = bar && one("[aria-current]", bar);
  if (here && bar.scrollWidth > bar.clientWidth) {
    bar.scrollLeft = here.offsetLeft - (bar.clientWidth - here.offsetWidth) / 2;
  }
})();
