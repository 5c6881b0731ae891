// The Run page: which parts of the form are shown, prompts as a list, the trimap's slider.
"use strict";

const byId = (id) => document.getElementById(id);

// --- the form ---------------------------------------------------------------------------------------------------

function source() {
  return document.querySelector("[name=mask_source]:checked").value;
}

function showSource() {
  document.querySelectorAll("[data-source]").forEach((part) => {
    part.hidden = part.dataset.source !== source();
  });
}

function showMaker() {
  const taken = byId("maker").selectedOptions[0]?.dataset.prompts || "";
  const said = { point: "clicks", box: "boxes", text: "words", mask: "key masks" };
  byId("maker-takes").textContent = taken ? `takes ${taken.split(" ").map((kind) => said[kind]).join(", ")}` : "";
}

function plateFound(found) {
  const out = byId("out");
  if (!out.dataset.typed && !out.value) out.value = found.dataset.out;
  byId("key-frame").placeholder = found.dataset.first;
  showEnds();
  htmx.trigger(document.body, "plate-known");
  document.dispatchEvent(new CustomEvent("videomama:plate"));
}

// The end of a long path says more than its beginning.
function showEnds() {
  for (const id of ["plate", "mask", "out"]) byId(id).scrollLeft = byId(id).scrollWidth;
}

// --- prompts as a list; the picture's script writes clicks and boxes into the same field ------------------------------

function prompts() {
  return JSON.parse(byId("prompts").value || "[]");
}

function setPrompts(list) {
  byId("prompts").value = JSON.stringify(list);
  byId("prompts").dispatchEvent(new Event("input", { bubbles: true }));
}

function addPrompt(fields) {
  const name = byId("object").value.trim();
  setPrompts([...prompts(), { ...fields, object: name }]);
}

function spoken(prompt) {
  const of = prompt.object ? ` of ${prompt.object}` : "";
  const place = (prompt.place || []).map((number) => Math.round(number)).join(", ");
  if (prompt.kind === "text") return `words "${prompt.text}"${of}`;
  if (prompt.kind === "mask") return `key mask ${prompt.file.replace(/^.*[\\/]/, "")} on frame ${prompt.frame}${of}`;
  if (prompt.kind === "box") return `box ${place} on frame ${prompt.frame}${of}`;
  return `${prompt.subject === false ? "background" : "subject"} at ${place} on frame ${prompt.frame}${of}`;
}

function listPrompts() {
  const rows = prompts().map((prompt, index) => {
    const row = document.createElement("li");
    row.append(spoken(prompt), " ");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.textContent = "Remove";
    button.setAttribute("aria-label", `Remove ${spoken(prompt)}`);
    button.addEventListener("click", () => setPrompts(prompts().filter((_, at) => at !== index)));
    row.append(button);
    return row;
  });
  byId("prompt-list").replaceChildren(...rows);
}

function addWords() {
  const text = byId("words").value.trim();
  if (text) addPrompt({ kind: "text", text });
  byId("words").value = "";
}

function addKeyMask() {
  const file = byId("key-mask").value.trim();
  const numbered = file.match(/\.(-?\d+)\.[^.]*$/);
  const frame = Number(byId("key-frame").value || (numbered ? numbered[1] : byId("found-plate")?.dataset.first || 1));
  if (file) addPrompt({ kind: "mask", file, frame });
  byId("key-mask").value = byId("key-frame").value = "";
}

// A person that was found, as a fragment of the page with data attributes, becomes a box.
function takePerson(found) {
  const kept = prompts().filter((prompt) => prompt.kind !== "box" || prompt.frame !== Number(found.dataset.frame));
  setPrompts([...kept, { kind: "box", frame: Number(found.dataset.frame), place: JSON.parse(found.dataset.box), object: byId("object").value.trim() }]);
  const absent = byId("m.absent");
  if (absent && !absent.value) absent.value = found.dataset.absent;
}

// --- the trimap's slider ------------------------------------------------------------------------------------------

function bindTrimap() {
  const slider = byId("trimap-slider"), chooser = byId("r.trimap_preset");
  if (!slider || slider.dataset.bound) return;
  slider.dataset.bound = "yes";
  const rows = [...document.querySelectorAll("#trimap-numbers [data-preset]")];
  const show = () => {
    const name = chooser.selectedOptions[0].textContent.trim();
    slider.value = rows.findIndex((row) => row.dataset.preset === name);
    slider.setAttribute("aria-valuetext", name);
    rows.forEach((row) => row.classList.toggle("chosen", row.dataset.preset === name));
  };
  slider.addEventListener("input", () => {
    chooser.selectedIndex = [...chooser.options].findIndex((one) => one.textContent.trim() === rows[slider.value].dataset.preset);
    chooser.dispatchEvent(new Event("change", { bubbles: true }));
  });
  chooser.addEventListener("change", show);
  show();
}

// --- events -------------------------------------------------------------------------------------------------------

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.remove) button.closest(button.dataset.remove).remove();
  else if (button.id === "add-words") addWords();
  else if (button.id === "add-key") addKeyMask();
});

document.addEventListener("input", (event) => {
  if (event.target.id === "prompts") listPrompts();
  if (event.target.id === "out") event.target.dataset.typed = "yes";
});

document.addEventListener("change", (event) => {
  if (event.target.name === "mask_source") showSource();
  if (event.target.id === "maker") showMaker();
  showEnds();
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.form?.id === "run" && event.target.tagName === "INPUT") {
    event.preventDefault(); // Enter in a field is no Start
    event.target.dispatchEvent(new Event("change", { bubbles: true }));
  }
  if (isTyping(event.target) || event.ctrlKey || event.altKey || event.metaKey || byId("browser").open) return;
  const button = { d: "[hx-post='/run/check']", f: "#preview", s: "#start" }[event.key];
  if (button) document.querySelector(button).click();
});

document.addEventListener("htmx:load", (event) => {
  const part = event.detail.elt;
  const plate = part.id === "found-plate" ? part : part.querySelector?.("#found-plate");
  if (plate) plateFound(plate);
  const person = part.querySelector?.("[data-person]") || (part.matches?.("[data-person]") ? part : null);
  if (person) takePerson(person);
  bindTrimap();
});

document.addEventListener("DOMContentLoaded", () => {
  showSource();
  showMaker();
  listPrompts();
  for (const id of ["plate", "mask"]) {
    if (byId(id).value) byId(id).dispatchEvent(new Event("change", { bubbles: true }));
  }
});
