// Runs before the page is drawn, so that the chosen theme shows without a flash. Who is logged in has the
// look of their account, but for what this browser has not told the server yet; the login has the last one.
(() => {
  const root = document.documentElement;
  const unsaved = JSON.parse(localStorage.getItem("look-unsaved") || "{}");
  if (root.dataset.theme) {
    // What this page shows already need not be kept here any longer.
    if (Object.keys(unsaved).every((name) => root.dataset[name] === unsaved[name])) localStorage.removeItem("look-unsaved");
    Object.assign(root.dataset, unsaved);
    localStorage.setItem("theme", root.dataset.theme);
  } else {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  }
})();
