"use strict";

// What our pages do beyond HTML: polling that rests with the tab, a clock, printing.

document.querySelectorAll(".ll-js").forEach((element) => { element.hidden = false; });

// A tab in the background asks for nothing; one that comes to the front asks at once.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && event.target.closest("[data-live]")) event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) document.body.dispatchEvent(new CustomEvent("loadlab:shown"));
});

// "updated 2 s ago", by this machine's clock since the answer came.
let seen = null;
let cameAt = 0;
const tellAge = () => {
  const element = document.querySelector("[data-seen]");
  if (!element) return;
  if (element.dataset.seen !== seen) { seen = element.dataset.seen; cameAt = Date.now(); }
  element.textContent = `updated ${Math.round((Date.now() - cameAt) / 1000)} s ago`;
};
setInterval(tellAge, 1000);

// Folds and tables that were opened stay open when a fragment is exchanged.
let open = new Set();
const placeOf = (details) => {
  const figure = details.closest("[data-name]");
  return details.id || (figure ? `in ${figure.dataset.name}` : "");
};
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target) open = new Set([...event.detail.target.querySelectorAll("details")]
    .map((details) => [placeOf(details), details.open]).filter(([place]) => place).map(String));
});

// Said aloud only when the state changes, not with every figure.
let state = null;
const tellState = () => {
  const headline = document.querySelector("[data-state]");
  const said = document.querySelector("[data-said]");
  if (!headline || !said) return;
  if (state !== null && headline.dataset.state !== state) said.textContent = headline.textContent.trim();
  state = headline.dataset.state;
};
document.addEventListener("htmx:afterSwap", (event) => {
  event.target.querySelectorAll("details").forEach((details) => {
    const place = placeOf(details);
    if (open.has(`${place},true`)) details.open = true;
    else if (open.has(`${place},false`)) details.open = false;
  });
  event.target.querySelectorAll(".ll-js").forEach((element) => { element.hidden = false; });
  const shown = event.target.querySelector("h2[data-state]");
  if (shown) document.title = document.title.replace(/^[^:]*:/, `${shown.textContent.replace(/\s+/g, " ").trim()}:`);
  tellState();
  tellAge();
});
tellState();

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
  // One menu at a time, and none once something else is clicked.
  document.querySelectorAll(".ll-menu[open]").forEach((menu) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  document.querySelectorAll(".ll-menu[open]").forEach((menu) => {
    menu.open = false;
    menu.querySelector("summary").focus();
  });
});

// A link to something inside a closed fold opens it.
const reveal = () => {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let fold = target && target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
};
window.addEventListener("hashchange", reveal);
reveal();
