// Moving a call in the calendar, by dragging or by keys. Without it, a call's page has a form that does the same.
const one = (selector, root = document) => root.querySelector(selector);
const toast = one("#toast");
let carried = null; // the call that is on its way
let target = null; // the hour it would go to
let byKeys = false;
let hiding = 0;

const calendar = () => one("[data-calendar]");
const cellOf = (element) => element?.closest?.("td.slot") ?? null;

// Words

const tell = (text, { isError = false, undo = null, stays = false } = {}) => {
  clearTimeout(hiding);
  toast.replaceChildren(Object.assign(document.createElement("span"), { textContent: text }));
  if (undo) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "button small", textContent: toast.dataset.undo });
    button.addEventListener("click", undo);
    toast.append(button);
  }
  const close = Object.assign(document.createElement("button"), { type: "button", className: "button small ghost", textContent: toast.dataset.close });
  close.addEventListener("click", hush);
  if (!stays) toast.append(close);
  toast.classList.add("is-shown");
  toast.classList.toggle("is-error", isError);
  if (!stays) hiding = setTimeout(hush, 12000);
};
const hush = () => {
  toast.classList.remove("is-shown");
  toast.replaceChildren();
};

// Moving

const send = async (address, moment) => {
  const body = new FormData(one("#mover"));
  Object.entries(moment).forEach(([name, value]) => body.set(name, value));
  try {
    const answer = await fetch(address, { method: "POST", body, headers: { Accept: "application/json" } });
    return await answer.json();
  } catch {
    return { moved: false, text: toast.dataset.failed };
  }
};
const refresh = async () => {
  const { scrollTop: top, scrollLeft: left } = calendar();
  await htmx.ajax("GET", location.pathname + location.search, { target: "#calendar", swap: "outerHTML" });
  calendar().scrollTo({ top, left, behavior: "instant" });
};

const moveBack = async (address, moment) => {
  const answer = await send(address, moment);
  tell(answer.text, { isError: !answer.moved });
  if (answer.moved) await refresh();
};
const moveTo = async (card, cell) => {
  const home = cellOf(card);
  if (cell === home) return;
  const follower = card.nextElementSibling;
  const { move, time } = card.dataset;
  const whose = calendar().dataset.whose;
  const before = { date: home.dataset.date, time, whose };
  cell.prepend(card);
  card.classList.add("is-moving");
  const answer = await send(move, { date: cell.dataset.date, time: cell.dataset.hour + time.slice(2), whose });
  card.classList.remove("is-moving");
  if (answer.moved) {
    tell(answer.text, { undo: () => moveBack(move, before) });
    await refresh();
    document.getElementById(card.id)?.focus({ preventScroll: true });
    return;
  }
  home.insertBefore(card, follower);
  card.classList.add("is-back");
  card.addEventListener("animationend", () => card.classList.remove("is-back"), { once: true });
  card.focus({ preventScroll: true });
  tell(answer.text, { isError: true });
};

const aim = (cell) => {
  target?.classList.remove("is-target");
  target = cell;
  target?.classList.add("is-target");
};
const letGo = () => {
  carried?.classList.remove("is-carried");
  aim(null);
  carried = null;
  byKeys = false;
};
const take = (card) => {
  carried = card;
  card.classList.add("is-carried");
};

// By dragging

document.addEventListener("dragstart", (event) => {
  const card = event.target.closest?.("[data-move]");
  if (!card) return;
  letGo();
  take(card);
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", card.href);
});
document.addEventListener("dragover", (event) => {
  const cell = carried && cellOf(event.target);
  if (!cell) return;
  event.preventDefault();
  if (cell !== target) aim(cell);
});
document.addEventListener("drop", (event) => {
  const cell = carried && cellOf(event.target);
  if (!cell) return;
  event.preventDefault();
  const card = carried;
  letGo();
  moveTo(card, cell);
});
document.addEventListener("dragend", letGo);

// By keys

const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const beside = (cell, [down, right]) => {
  const row = cell.parentElement.parentElement.rows[cell.parentElement.sectionRowIndex + down];
  return cellOf(row?.cells[cell.cellIndex + right]) ?? cell;
};
const carry = (event) => {
  if (ARROWS[event.key]) {
    aim(beside(target, ARROWS[event.key]));
    target.scrollIntoView({ block: "nearest", inline: "nearest" });
    tell(target.dataset.name, { stays: true });
  } else if (event.key === "Enter") {
    const [card, cell] = [carried, target];
    letGo();
    hush();
    moveTo(card, cell);
  } else if (event.key === "Escape" || event.key === "Tab") {
    letGo();
    tell(toast.dataset.left);
    if (event.key === "Tab") return;
  } else return;
  event.preventDefault();
  event.stopPropagation();
};
const walk = (event) => {
  const here = cellOf(event.target);
  const cell = here ? beside(here, ARROWS[event.key]) : one("td.slot.is-today:not(.is-past)") ?? one(`#${calendar().dataset.first} td.slot`);
  const link = one("a", cell);
  if (!link) return;
  event.preventDefault();
  link.focus();
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (byKeys) return carry(event);
  if (!event.target.closest?.("[data-calendar]")) return;
  if (ARROWS[event.key] && (cellOf(event.target) || event.target === calendar())) walk(event);
  const card = event.target.closest("[data-move]");
  const keysOn = document.documentElement.dataset.keys !== "off";
  if (card && keysOn && event.key.toLowerCase() === "m") {
    event.preventDefault();
    event.stopPropagation();
    take(card);
    byKeys = true;
    aim(cellOf(card));
    tell(toast.dataset.carry, { stays: true });
  }
}, true);
