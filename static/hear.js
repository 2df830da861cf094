// Plays how a call will sound. Without it the sound opens in a tab of its own.
// The button may be replaced at any time by a newer preview: what is going on is kept here, not in the page.

const audio = new Audio();
let state = "idle"; // asking: it is being spoken; playing
let trouble = "";
let asking = new AbortController();

const show = () => {
  const button = document.querySelector("[data-hear]");
  if (!button) return;
  button.querySelector("span").textContent = button.dataset[state];
  button.classList.toggle("is-playing", state === "playing");
  button.setAttribute("aria-busy", state === "asking");
  const told = document.querySelector("[data-hear-told]");
  told.textContent = trouble || told.dataset.hearTold;
  told.classList.toggle("is-trouble", trouble !== "");
};
const become = (next, problem = "") => {
  state = next;
  trouble = problem;
  show();
};
const stop = () => {
  asking.abort();
  audio.pause();
  URL.revokeObjectURL(audio.src);
  become("idle");
};

const hear = async (button) => {
  asking = new AbortController();
  become("asking");
  const { signal } = asking;
  try {
    const answer = await fetch(button.formAction, { method: "POST", body: new FormData(button.form), signal });
    if (!answer.headers.get("Content-Type").startsWith("audio/")) {
      become("idle", answer.headers.get("Content-Type").startsWith("text/plain") ? await answer.text() : button.dataset.failed);
      return;
    }
    audio.src = URL.createObjectURL(await answer.blob());
    await audio.play();
    become("playing");
  } catch (error) {
    // Aborted by whoever pressed again; else the server is gone, or the browser did not let it play.
    if (!signal.aborted) become("idle", button.dataset.failed);
  }
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-hear]");
  if (!button) return;
  event.preventDefault();
  if (state === "idle") hear(button);
  else stop();
});
// What is heard is what is written: another text is another sound.
document.addEventListener("input", (event) => {
  if (document.querySelector("[data-hear]")?.form === event.target.form && (state !== "idle" || trouble)) stop();
});
audio.addEventListener("ended", stop);
document.addEventListener("htmx:afterSettle", show);
