// Plays the recordings of a call's page: the waveform is the seek bar, and the transcript goes along.
// Without it the page has the browser's own player. All is heard at the document, since players may come later.

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const BACK_S = 10;
const STEPS = { ArrowRight: 5, ArrowUp: 5, ArrowLeft: -5, ArrowDown: -5, PageUp: 30, PageDown: -30, Home: -Infinity, End: Infinity };

const playerOf = (element) => element.closest("[data-player]");
const part = (player, name) => player.querySelector(`[data-${name}]`);
const audioOf = (player) => player.querySelector("audio");
const lengthOf = (player) => Number(player.dataset.duration);

const clock = (seconds) => {
  const whole = Math.floor(seconds + 0.001);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = String(rest).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
};

// The transcript

const turnsOf = (player) => all(`#turns [data-attempt="${player.dataset.attempt}"]`);
const turnAt = (player, seconds) => turnsOf(player).filter((turn) => Number(turn.dataset.at) <= seconds * 1000 + 50).pop();

const markTurn = (player, seconds) => {
  const turn = turnAt(player, seconds);
  if (turn?.hasAttribute("aria-current")) return;
  all("#turns [aria-current]").forEach((other) => other.removeAttribute("aria-current"));
  turn?.setAttribute("aria-current", "true");
  if (!audioOf(player).paused) turn?.scrollIntoView({ block: "nearest", behavior: "smooth" });
};

// Where it is

const show = (player) => {
  const seconds = Math.min(audioOf(player).currentTime, lengthOf(player));
  const place = lengthOf(player) ? (seconds / lengthOf(player)) * 200 : 0;
  part(player, "played").setAttribute("width", place);
  ["x1", "x2"].forEach((end) => part(player, "head").setAttribute(end, place));
  const time = clock(seconds);
  if (part(player, "time").textContent === time && seconds) {
    markTurn(player, seconds);
    return;
  }
  part(player, "time").textContent = time;
  const slider = part(player, "slider");
  slider.setAttribute("aria-valuenow", Math.floor(seconds));
  slider.setAttribute("aria-valuetext", slider.dataset.text.replace("{time}", time));
  if (seconds) markTurn(player, seconds);
};

const seek = (player, seconds) => {
  // The last tenth of a second would be the end, from where nothing plays.
  audioOf(player).currentTime = Math.max(0, Math.min(seconds, lengthOf(player) - 0.1));
  show(player);
};

const play = (player) => {
  all("[data-player]").filter((other) => other !== player).forEach((other) => audioOf(other).pause());
  audioOf(player).play().catch(() => {}); // what went wrong comes as an event, too
};
const toggle = (player) => (audioOf(player).paused ? play(player) : audioOf(player).pause());

// What the audio tells

const follow = (player) => {
  show(player);
  if (!audioOf(player).paused && player.isConnected) requestAnimationFrame(() => follow(player));
};
const showState = (player) => {
  const playing = !audioOf(player).paused;
  const button = part(player, "play");
  player.classList.toggle("is-playing", playing);
  button.setAttribute("aria-label", playing ? button.dataset.pauseLabel : button.dataset.playLabel);
  if (playing) follow(player);
};
const tell = (player, name) => (part(player, "trouble").textContent = name ? part(player, name).dataset.text : "");
const TOLD = {
  play: showState,
  pause: showState,
  ended: showState,
  seeked: show,
  timeupdate: show,
  playing: (player) => tell(player, ""),
  error: (player) => {
    tell(player, "trouble");
    audioOf(player).load(); // so that the next try asks anew; it pauses, and no event tells of that
    showState(player);
  },
};
Object.entries(TOLD).forEach(([name, hear]) => {
  // They do not bubble.
  document.addEventListener(name, (event) => event.target.matches?.("[data-player] audio") && hear(playerOf(event.target)), true);
});

// What the reader does

const playerFor = (turn) => document.querySelector(`[data-player][data-attempt="${turn.dataset.attempt}"]`);

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-play]");
  if (button) toggle(playerOf(button));
  const back = event.target.closest("[data-back]");
  if (back) seek(playerOf(back), audioOf(playerOf(back)).currentTime - BACK_S);
  const turn = event.target.closest("#turns [data-at], #live [data-at]");
  const player = turn && playerFor(turn);
  // Whoever marks text does not want to jump; whoever opens a link elsewhere neither.
  if (!player || String(getSelection()) || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  seek(player, Number(turn.dataset.at) / 1000);
  play(player);
});

const seekTo = (slider, x) => {
  const box = slider.getBoundingClientRect();
  seek(playerOf(slider), ((x - box.left) / box.width) * lengthOf(playerOf(slider)));
};
let held = null;
document.addEventListener("pointerdown", (event) => {
  const slider = event.button === 0 && event.target.closest?.("[data-slider]");
  if (!slider) return;
  held = slider;
  slider.setPointerCapture(event.pointerId);
  seekTo(slider, event.clientX);
});
document.addEventListener("pointermove", (event) => held && seekTo(held, event.clientX));
["pointerup", "pointercancel"].forEach((over) => document.addEventListener(over, () => (held = null)));

document.addEventListener("keydown", (event) => {
  if (!event.target.matches("[data-slider]") || event.ctrlKey || event.metaKey || event.altKey) return;
  const player = playerOf(event.target);
  if (event.key === " ") toggle(player);
  else if (event.key in STEPS) seek(player, audioOf(player).currentTime + STEPS[event.key]);
  else return;
  event.preventDefault();
});

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-speed]")) return;
  const audio = audioOf(playerOf(event.target));
  audio.defaultPlaybackRate = audio.playbackRate = Number(event.target.value);
});

// Search in what was said: what has the words is marked, Enter leads from one to the next.

const field = document.querySelector("[data-find-said] input");
const says = document.querySelector("[data-find-said] [role=status]");
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
const hits = () => all("#turns .is-hit");
let at = -1;

const search = () => {
  const text = plain(field.value.trim());
  all("#turns .turn").forEach((turn) => turn.classList.toggle("is-hit", Boolean(text) && plain(turn.querySelector("p").textContent).includes(text)));
  all("#turns .is-at").forEach((turn) => turn.classList.remove("is-at"));
  at = -1;
  const count = hits().length;
  says.textContent = !text ? "" : count === 1 ? says.dataset.one : count ? says.dataset.many.replace("%n", count) : says.dataset.none;
};
const stepTo = (by) => {
  const found = hits();
  if (!found.length) return;
  found[at]?.classList.remove("is-at");
  at = at < 0 && by < 0 ? found.length - 1 : (at + by + found.length) % found.length;
  found[at].classList.add("is-at");
  found[at].scrollIntoView({ block: "center" });
  says.textContent = says.dataset.place.replace("%i", at + 1).replace("%n", found.length);
};
if (field) {
  field.form.hidden = false;
  field.addEventListener("input", search);
  field.form.addEventListener("submit", (event) => {
    event.preventDefault();
    stepTo(1);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.shiftKey) return;
    event.preventDefault();
    stepTo(-1);
  });
  document.addEventListener("htmx:oobAfterSwap", () => field.value && at < 0 && search()); // more was said
}

// Players that are new on the page get ours instead of the browser's controls.

const dress = () => {
  all("[data-player] audio[controls]").forEach((audio) => {
    audio.controls = false;
    part(playerOf(audio), "controls").hidden = false;
    show(playerOf(audio));
  });
};
document.addEventListener("htmx:oobAfterSwap", dress);
dress();
