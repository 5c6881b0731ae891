// The picture of the Run page: the plate with mask or trimap over it, prompts, and the mask that is made while clicking.

import { PictureView } from "./viewer.js";
import { PromptLayer } from "./prompts.js";

const byId = (id) => document.getElementById(id);
const AFTER_MS = 300; // without another click, the mask is made
const TINT = [80, 200, 255];

const canvas = byId("viewer");
const view = new PictureView(canvas, { address });
const layer = new PromptLayer(view);
const paintPrompts = view.overlay;
const viewer = crypto.randomUUID?.() ?? String(Math.random());
let frames = [];
let made = null; // the mask of a frame: { frame, object, bitmap }
let waiting = 0;

// --- the picture ----------------------------------------------------------------------------------------------------

function frame() {
  return frames[Number(byId("picture-frame").value)];
}

function address(name, number, portion) {
  const asked = new URLSearchParams({ plate: byId("plate").value, frame: number });
  for (const field of document.querySelectorAll("#run [name^='s.']")) {
    if (field.value && !["s.roi", "s.window", "s.overlap"].includes(field.name)) asked.set(field.name.slice(2), field.value);
  }
  if (name !== "plate") asked.set("mask", byId("mask").value);
  if (name === "trimap_over") {
    asked.set("of", "mask");
    for (const field of document.querySelectorAll("#run [name^='r.trimap_']")) if (field.value) asked.set(field.name.slice(2), field.value);
  }
  if (portion.region) asked.set("region", portion.region.join(","));
  else asked.set("size", portion.size);
  return `/pictures/${name}?${asked}`;
}

function shownView() {
  const hasMask = document.querySelector("[name=mask_source]:checked").value === "files" && byId("mask").value;
  if (hasMask && byId("trimap-shown")?.checked) return "trimap_over";
  return hasMask && byId("mask-shown").checked ? "mask_over" : "plate";
}

function show() {
  if (!frames.length) return;
  byId("picture-number").textContent = frame();
  view.show({ frame: frame(), views: [shownView()], mode: "single" });
}

function plateChanged() {
  const found = byId("found-plate");
  frames = JSON.parse(found.dataset.frames);
  byId("picture-frame").max = frames.length - 1;
  view.setSize(Number(found.dataset.width), Number(found.dataset.height));
  show();
}

// --- prompts ----------------------------------------------------------------------------------------------------------

function load() {
  layer.load(JSON.parse(byId("prompts").value || "[]"));
}

function keep() {
  byId("prompts").value = JSON.stringify(layer.prompts);
  byId("prompts").dispatchEvent(new Event("input", { bubbles: true }));
}

function useTool() {
  const isUsed = document.querySelector("[name=mask_source]:checked").value === "prompts";
  layer.tool = isUsed ? document.querySelector("[name=tool]:checked").value : "";
}

// --- the mask while clicking ------------------------------------------------------------------------------------------

function say(text) {
  byId("preview-state").textContent = text;
}

function makeSoon() {
  clearTimeout(waiting);
  made = null;
  view.draw();
  if (byId("mask-preview").checked && byId("maker").value) waiting = setTimeout(make, AFTER_MS);
}

async function make() {
  const form = new URLSearchParams(new FormData(byId("run")));
  const asked = { frame: frame(), object: byId("object").value.trim() };
  form.set("frame", asked.frame);
  form.set("of_object", asked.object);
  form.set("viewer", viewer);
  say("Making the mask ...");
  const answer = await fetch("/run/mask-preview", { method: "POST", body: form, headers: { "HX-Request": "true" } });
  if (!answer.headers.get("Content-Type").startsWith("image/")) {
    const message = new DOMParser().parseFromString(await answer.text(), "text/html").body.textContent.trim().replace(/\s+/g, " ");
    say(message.startsWith("the job was cancelled") ? "" : message);
    return;
  }
  made = { ...asked, bitmap: await tinted(await answer.blob()) };
  say("");
  view.draw();
}

// A grey picture becomes a colour that is as opaque as the picture is bright.
async function tinted(blob) {
  const grey = await createImageBitmap(blob);
  const drawn = new OffscreenCanvas(grey.width, grey.height);
  const context = drawn.getContext("2d");
  context.drawImage(grey, 0, 0);
  const pixels = context.getImageData(0, 0, grey.width, grey.height);
  for (let at = 0; at < pixels.data.length; at += 4) {
    pixels.data[at + 3] = pixels.data[at] * 0.55;
    pixels.data.set(TINT, at);
  }
  context.putImageData(pixels, 0, 0);
  return drawn;
}

view.overlay = (context, toScreen, number) => {
  if (made && made.frame === number) {
    const [left, top] = toScreen([0, 0]);
    const [right, bottom] = toScreen(view.size);
    context.drawImage(made.bitmap, left, top, right - left, bottom - top);
  }
  paintPrompts(context, toScreen, number);
};

// --- events -----------------------------------------------------------------------------------------------------------

layer.addEventListener("change", () => {
  keep();
  makeSoon();
});
byId("prompts").addEventListener("input", load);
byId("object").addEventListener("input", () => {
  layer.object = byId("object").value.trim();
  makeSoon();
});
byId("undo-prompt").addEventListener("click", () => layer.undo());
byId("picture-frame").addEventListener("input", () => {
  show();
  makeSoon();
});
byId("mask-preview").addEventListener("change", makeSoon);
document.addEventListener("videomama:plate", plateChanged);
document.addEventListener("change", (event) => {
  if (event.target.name === "tool" || event.target.name === "mask_source") useTool();
  if (event.target.matches("#mask, #mask-shown, #trimap-shown, [name=mask_source], [name^='s.'], [name^='r.trimap_']")) show();
});
load();
