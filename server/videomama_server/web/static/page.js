// What every page has: the theme's button, keys, and parts that the server keeps up to date.
"use strict";

function toggleTheme() {
  const shown = document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark");
  const wanted = shown === "light" ? "dark" : "light";
  document.documentElement.dataset.theme = wanted;
  localStorage.setItem("videomama-theme", wanted);
}

function isTyping(target) {
  return target.closest && target.closest("input, select, textarea, [contenteditable]") !== null;
}

// An element with data-live="/address" is filled by the events of that address, as they come. Nothing changes under
// a pressed pointer or a selection, and a page that nobody sees listens to nothing: browsers open few connections.
let isPressed = false;

function isInUse(element) {
  const selected = getSelection();
  return isPressed || element.querySelector("[data-keep-open][open]") || (!selected.isCollapsed && element.contains(selected.anchorNode));
}

function fill(element, html) {
  const focused = element.contains(document.activeElement) ? document.activeElement.id : "";
  const scrolled = element.querySelector("pre")?.scrollTop;
  element.innerHTML = html; // made by the page's own templates, which escape every value
  htmx.process(element);
  if (focused) document.getElementById(focused)?.focus();
  if (scrolled) element.querySelector("pre").scrollTop = scrolled;
  element.dispatchEvent(new CustomEvent("live", { bubbles: true }));
}

function follow(element) {
  if (element.dataset.followed) return;
  element.dataset.followed = "yes";
  let source = null;
  let pending = null;
  const apply = () => {
    if (pending === null || isInUse(element)) return;
    fill(element, pending);
    pending = null;
  };
  const stop = () => {
    source?.close();
    source = null;
  };
  const listen = () => {
    if (source || document.hidden || !element.isConnected) return;
    source = new EventSource(element.dataset.live);
    source.onmessage = (event) => {
      if (!element.isConnected) stop();
      pending = event.data;
      apply();
    };
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : listen()));
  addEventListener("pagehide", stop);
  addEventListener("pageshow", listen);
  addEventListener("pointerup", () => setTimeout(apply));
  listen();
}

addEventListener("pointerdown", () => { isPressed = true; }, true);
for (const name of ["pointerup", "pointercancel"]) addEventListener(name, () => { isPressed = false; }, true);

document.addEventListener("DOMContentLoaded", () => {
  document.getElementById("theme")?.addEventListener("click", toggleTheme);
  document.querySelectorAll("[data-live]").forEach(follow);
});

document.addEventListener("htmx:load", (event) => {
  const part = event.detail.elt;
  if (part === document.body) return; // the whole page: done above
  if (part.matches?.("[data-live]")) follow(part);
  part.querySelectorAll?.("[data-live]").forEach(follow);
});

document.addEventListener("keydown", (event) => {
  if (isTyping(event.target) || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "T") toggleTheme();
  const tab = { "1": "/run", "2": "/jobs", "3": "/judge", "4": "/settings" }[event.key];
  if (tab && !event.target.closest("[data-keys]")) location.assign(tab);
});
