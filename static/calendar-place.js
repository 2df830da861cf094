// Where the calendar is looked at: on the morning, on today, and by the day where a week has no room.
(() => {
  "use strict";
  // Runs before the page is drawn, so that a week does not flash up first.
  const { day } = document.currentScript.dataset;
  if (day && matchMedia("(width <= 720px)").matches) location.replace(day);

  document.addEventListener("DOMContentLoaded", () => {
    const box = document.querySelector("[data-calendar]");
    const head = box.querySelector("thead");
    const today = box.querySelector("th.is-today");
    if (!location.hash) box.scrollTop = document.getElementById(box.dataset.first).offsetTop - head.offsetHeight;
    if (today && box.scrollWidth > box.clientWidth) box.scrollLeft = today.offsetLeft - box.clientWidth / 2;
  });
})();
