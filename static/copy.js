// Copies what is shown once: a key, a link, codes. Without it one selects and copies by hand.
(() => {
  "use strict";
  const copy = async (button) => {
    const words = button.querySelector("span");
    const before = words.textContent;
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    } catch {
      // Only pages of https, and of this machine, may write to the clipboard.
      getSelection().selectAllChildren(document.getElementById(button.dataset.copy));
      document.execCommand("copy");
    }
    button.classList.add("is-done");
    words.textContent = button.dataset.done || "✓";
    setTimeout(() => {
      words.textContent = before;
      button.classList.remove("is-done");
    }, 2000);
  };
  document.querySelectorAll("[data-copy]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  });
  // Loading this page anew would send its form again.
  const instead = document.querySelector("[data-instead]");
  if (instead) history.replaceState(null, "", instead.dataset.instead);
})();
