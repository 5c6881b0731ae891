// The Judge page: frames, flags and scores of a clip, around the PictureView of viewer.js.
import { byId, flaggedRuns, flagsOn, query, root, state } from "./judge_state.js";
import { drawPlot, drawTimeline } from "./timeline.js";
import { MODES, PictureStore, PictureView } from "./viewer.js";

const AHEAD = 12; // frames that are fetched before they are shown
const LIVE_MS = 1000; // how often it is asked for new frames while some are missing
const CALM_MS = 5000; // and when none are
const VALUES_MS = 60; // that the pointer rests before numbers are read

const canvas = byId("canvas");
const store = new PictureStore();
const view = new PictureView(canvas, { address, store });

function address(name, frame, portion) {
  const said = new URLSearchParams(query);
  said.set("frame", frame);
  if (portion.size) said.set("size", portion.size);
  else said.set("region", portion.region.join(","));
  if (Number(byId("stops").value)) said.set("stops", byId("stops").value);
  if (Number(byId("gamma").value) !== 1) said.set("gamma", byId("gamma").value || 1);
  if (name.startsWith("comp_")) said.set("colour", byId("colour").value);
  if (name.startsWith("trimap")) {
    said.set("of", byId("of").value);
    chooseTrimap(said);
  }
  said.set("v", Object.values(state.stamps).map((there) => there[frame] ?? "").join("."));
  return `/pictures/${name}?${said}`;
}

// A width that is chosen takes the place of the job's own numbers.
function chooseTrimap(said) {
  const preset = byId("trimap_preset").value;
  if (!preset) return;
  for (const name of ["foreground", "background", "inside", "outside"]) said.delete(`trimap_${name}`);
  said.set("trimap_preset", preset);
}

async function asked(path, more = {}) {
  const said = new URLSearchParams(query);
  for (const [name, value] of Object.entries(more)) said.set(name, value);
  const answer = await fetch(`${path}?${said}`, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

// Frames -----------------------------------------------------------------

function show(frame) {
  if (frame === null || frame === undefined) return;
  state.frame = frame;
  if (document.activeElement !== byId("frame")) byId("frame").value = frame;
  const at = state.frames.indexOf(frame);
  const slider = byId("timeline");
  slider.setAttribute("aria-valuenow", frame);
  slider.setAttribute("aria-valuetext", [`Frame ${frame}`, ...flagsOn(frame).map((flag) => flag.kind)].join(", "));
  view.ahead = around(at);
  view.show({ frame, views: state.views, mode: state.mode });
  remember();
  drawTimeline();
  drawPlot();
}

// The frames that will be wanted next: those to come in the direction of play, else some on both sides.
function around(at) {
  const steps = player.direction ? [...Array(AHEAD).keys()].map((one) => (one + 1) * player.direction) : [1, -1, 2, 3, -2, 4];
  return steps.map((step) => state.frames[at + step]).filter((frame) => frame !== undefined);
}

function step(count) {
  const at = Math.max(0, nearest(state.frame));
  show(state.frames[Math.min(state.frames.length - 1, Math.max(0, at + count))]);
}

// The place in the clip of a frame, or of the next one after it.
function nearest(frame) {
  const at = state.frames.findIndex((one) => one >= frame);
  return at < 0 ? state.frames.length - 1 : at;
}

function goToFlag(direction) {
  const starts = flaggedRuns().map(([first]) => first);
  const at = nearest(state.frame);
  const found = direction > 0 ? starts.find((one) => one > at) : starts.filter((one) => one < at).at(-1);
  if (found === undefined) tell(state.flags.length ? "There is no further flag that way." : "No frame is flagged.");
  else show(state.frames[found]);
}

// Playing ----------------------------------------------------------------

const player = {
  direction: 0,
  play(direction) {
    if (this.direction === direction || state.frames.length < 2) return;
    this.direction = direction;
    this.from = nearest(state.frame);
    if (direction > 0 && this.from === state.frames.length - 1) this.from = 0;
    if (direction < 0 && this.from === 0) this.from = state.frames.length - 1;
    this.began = performance.now();
    this.painted = this.dropped = 0;
    this.last = this.from;
    byId("play").setAttribute("aria-pressed", "true");
    byId("play").textContent = "Stop";
    show(state.frames[this.from]);
    requestAnimationFrame(() => this.tick());
  },
  stop() {
    if (!this.direction) return;
    this.direction = 0;
    byId("play").setAttribute("aria-pressed", "false");
    byId("play").textContent = "Play";
    show(state.frame);
  },
  // Shows the frame whose time it is. One that is not here in time is counted as dropped, and never shown late.
  tick() {
    if (!this.direction) return;
    const rate = Math.min(120, Math.max(1, Number(byId("fps").value) || 24));
    const seconds = (performance.now() - this.began) / 1000;
    const due = this.from + this.direction * Math.floor(seconds * rate);
    const end = this.direction > 0 ? state.frames.length - 1 : 0;
    const at = this.direction > 0 ? Math.min(due, end) : Math.max(due, end);
    if (at !== this.last) this.turn(at, seconds);
    if (at === end && this.last === end) this.again();
    requestAnimationFrame(() => this.tick());
  },
  turn(at, seconds) {
    const passed = Math.abs(at - this.last);
    const isHere = view.isReady(state.frames[at]);
    this.dropped += isHere ? passed - 1 : 0;
    if (isHere) {
      this.painted += 1;
      this.last = at;
      show(state.frames[at]);
    } else {
      view.ahead = around(at);
      view.draw();
      if (at !== (this.direction > 0 ? state.frames.length - 1 : 0)) return;
      this.last = at;
      this.dropped += passed;
    }
    if (seconds > 0.5) byId("speed").textContent = `${(this.painted / seconds).toFixed(1)} a second, ${this.dropped} dropped`;
  },
  again() {
    this.from = this.last = this.direction > 0 ? 0 : state.frames.length - 1;
    this.began = performance.now();
    this.painted = this.dropped = 0;
  },
};

// Timeline and scores ----------------------------------------------------

function scrub(element) {
  const go = (event) => {
    const box = element.getBoundingClientRect();
    const at = Math.floor(((event.clientX - box.left) / box.width) * state.frames.length);
    show(state.frames[Math.min(state.frames.length - 1, Math.max(0, at))]);
  };
  element.addEventListener("pointerdown", (event) => {
    player.stop();
    element.setPointerCapture(event.pointerId);
    go(event);
  });
  element.addEventListener("pointermove", (event) => element.hasPointerCapture(event.pointerId) && go(event));
}

// What the page learns from the server ------------------------------------

let heard = { frames: "", scores: "" };

async function learnFrames() {
  const found = await asked("/judge/frames", { frames: root.dataset.frames });
  const text = JSON.stringify(found);
  if (text === heard.frames) return;
  heard.frames = text;
  state.frames = found.frames;
  state.stamps = found.stamps;
  if (found.width && (found.width !== state.size[0] || found.height !== state.size[1])) {
    state.size = [found.width, found.height];
    view.setSize(...state.size);
  }
  tellFacts(found);
  const slider = byId("timeline");
  slider.setAttribute("aria-valuemin", state.frames[0] ?? 0);
  slider.setAttribute("aria-valuemax", state.frames.at(-1) ?? 0);
  offerViews();
  if (state.frame === null) begin();
  else show(state.frame);
}

function tellFacts(found) {
  const size = found.width ? `${found.width}x${found.height} ${found.colorspace}` : "";
  const names = Object.entries(found.names).map(([role, name]) => `${role} ${name}`);
  byId("facts").textContent = [size, ...names].filter(Boolean).join("   ");
  const wrong = Object.values(found.said);
  tell(wrong.join(" "));
}

function tell(text) {
  byId("progress").textContent = text;
  byId("progress").hidden = !text;
}

async function learnScores() {
  const found = await asked("/judge/scores");
  const text = JSON.stringify(found);
  const isDone = found.measured === found.total;
  if (text === heard.scores) return isDone;
  heard.scores = text;
  state.flags = flagged(found).map((flag) => ({ ...flag, on: new Set(flag.frames) }));
  [state.curves, state.notJudged] = [found.curves, found.not_judged];
  offerScores(found);
  listFlags(found);
  drawTimeline();
  drawPlot();
  return isDone;
}

// The flags of the scores once all are there; until then those that the job told. What only a job can find stays.
function flagged(found) {
  const measurable = new Set(found.curves.flatMap((curve) => curve.kinds));
  const told = JSON.parse(root.dataset.flags);
  const isWhole = found.total > 0 && found.measured === found.total;
  if (told.length && !isWhole) return told;
  return [...found.flags, ...told.filter((flag) => !measurable.has(flag.kind))];
}

function offerScores(found) {
  const select = byId("score");
  if (!select.options.length) found.curves.forEach((curve, at) => select.add(new Option(curve.title, at)));
  found.curves.forEach((curve, at) => {
    const isFlagged = state.flags.some((flag) => curve.kinds.includes(flag.kind));
    select.options[at].textContent = curve.title + (isFlagged ? " (flagged)" : "");
  });
}

function listFlags(found) {
  const items = state.flags.map((flag) => {
    const button = document.createElement("button");
    button.type = "button";
    const [first, last] = [flag.frames[0], flag.frames.at(-1)];
    button.textContent = `${flag.kind}: ${first === last ? first : `${first}-${last}`}`;
    button.addEventListener("click", () => show(flag.worst));
    return listItem(button, ` ${flag.reason}`);
  });
  const measuring = found.measured < found.total ? `Measuring: ${found.measured} of ${found.total} frames.` : "";
  const note = items.length ? measuring : found.said || measuring || "No frame is flagged.";
  if (note) items.push(listItem(note));
  byId("flags").replaceChildren(...items);
}

function listItem(...parts) {
  const item = document.createElement("li");
  item.append(...parts);
  return item;
}

async function watch() {
  let isDone = false;
  try {
    if (!document.hidden) {
      await learnFrames();
      isDone = await learnScores();
      if (watch.failed) {
        store.forgetMessages();
        tell("");
        view.draw();
      }
      watch.failed = false;
    }
  } catch (error) {
    watch.failed = true;
    tell("The page does not answer. Run `videomama web` again.");
  }
  const alphas = state.stamps.alpha ?? {};
  const isWhole = state.frames.every((frame) => !query.get("alpha") || alphas[frame]);
  setTimeout(watch, isWhole && isDone ? CALM_MS : LIVE_MS);
}

// What is shown ----------------------------------------------------------

const roles = () => new Set(["plate", "mask", "alpha", "foreground", "other", "ground"].filter((role) => query.get(role)));

// Views whose files were not chosen cannot be.
function offerViews() {
  const there = roles();
  for (const select of [byId("view-a"), byId("view-b")]) {
    for (const option of select.options) option.disabled = !option.dataset.needs.split(" ").every((role) => !role || there.has(role));
  }
  if (!there.has("mask")) byId("of").value = "alpha";
  const hasOwn = [...query.keys()].some((name) => name.startsWith("trimap_"));
  if (!hasOwn && !byId("trimap_preset").value) byId("trimap_preset").value = "balanced";
  byId("own-trimap").hidden = !hasOwn;
}

const offered = () => [...byId("view-a").options].filter((option) => !option.disabled).map((option) => option.value);

function begin() {
  const kept = new URLSearchParams(location.hash.slice(1));
  const given = Number(kept.get("frame") ?? new URLSearchParams(location.search).get("frame") ?? NaN);
  const possible = offered();
  const first = query.get("alpha") ? "alpha" : possible[0];
  setViews([kept.get("a"), kept.get("b")].map((name, at) => (possible.includes(name) ? name : [possible.includes("plate") ? "plate" : first, first][at])));
  setMode(MODES.includes(kept.get("mode")) ? kept.get("mode") : query.get("alpha") && possible.includes("plate") ? "wipe" : "single");
  show(state.frames[Number.isFinite(given) ? nearest(given) : 0]);
}

function setViews(views) {
  state.views = views;
  [byId("view-a").value, byId("view-b").value] = views;
  changed();
}

function setMode(mode) {
  state.mode = mode;
  for (const button of root.querySelectorAll("[data-mode]")) button.setAttribute("aria-pressed", button.dataset.mode === mode);
  changed();
}

// Draws once more with what was chosen.
function changed() {
  const shown = state.mode === "single" ? state.views.slice(0, 1) : state.views;
  for (const label of root.querySelectorAll(".of-trimap")) label.hidden = !shown.some((name) => name.startsWith("trimap"));
  for (const label of root.querySelectorAll(".of-comp")) label.hidden = !shown.some((name) => name.startsWith("comp_"));
  const title = (select) => select.selectedOptions[0]?.textContent.replace(/^\d+ /, "") ?? "";
  byId("tag-a").textContent = title(byId("view-a"));
  byId("tag-b").textContent = title(byId("view-b"));
  byId("tag-b").hidden = state.mode === "single";
  if (state.frame !== null) show(state.frame);
}

function remember() {
  clearTimeout(remember.later);
  remember.later = setTimeout(() => {
    const said = new URLSearchParams({ frame: state.frame, a: state.views[0], b: state.views[1], mode: state.mode });
    history.replaceState(null, "", `#${said}`);
  }, 300);
}

function nudge(id, by) {
  const input = byId(id);
  const value = Math.round((Number(input.value) + by) * 10) / 10;
  input.value = Math.min(Number(input.max), Math.max(Number(input.min), value));
  changed();
}

function reset() {
  byId("stops").value = 0;
  byId("gamma").value = 1;
  changed();
}

view.addEventListener("painted", () => {
  const { messages, frame } = view.painted;
  byId("said").hidden = !messages.length;
  byId("said").textContent = messages.join("\n\n");
  byId("zoom").textContent = view.zoom === null ? "fit" : `${Math.round(view.zoom * 100)} %`;
  canvas.setAttribute("aria-label", `Frame ${frame ?? "none"}, ${byId("tag-a").textContent}${state.mode === "single" ? "" : ` and ${byId("tag-b").textContent}`}`);
  canvas.dataset.frame = frame ?? "";
});

// Numbers under the pointer ----------------------------------------------

function readValues(event) {
  clearTimeout(readValues.later);
  const [x, y] = view.toPicture(view.placeOf(event)).map(Math.floor);
  if (state.frame === null || player.direction || x < 0 || y < 0 || x >= state.size[0] || y >= state.size[1]) return;
  readValues.later = setTimeout(async () => {
    const frame = view.painted.frame;
    try {
      const found = await asked("/pixel", { frame, x, y });
      const said = Object.entries(found).map(([role, values]) => `${role} ${values.map(written).join(" ")}`);
      byId("values").textContent = [`frame ${frame}  x ${x} y ${y}`, ...said].join("   ");
    } catch (error) {
      byId("values").textContent = `frame ${frame}  x ${x} y ${y}   cannot be read`;
    }
  }, VALUES_MS);
}

const written = (value) => (typeof value === "number" ? String(Number(value.toPrecision(7))) : value);

// Keys -------------------------------------------------------------------

const toggled = (mode) => setMode(state.mode === mode ? "single" : mode);
const pan = (across, down) => {
  view.zoom = view.scale();
  view.center = [view.center[0] + across / 10, view.center[1] + down / 10];
  view.draw();
};
const moved = (count) => {
  player.stop();
  step(count);
};
const KEYS = {
  ArrowLeft: () => moved(-1),
  ArrowRight: () => moved(1),
  "Shift+ArrowLeft": () => moved(-10),
  "Shift+ArrowRight": () => moved(10),
  "Shift+ArrowUp": () => pan(0, -1),
  "Shift+ArrowDown": () => pan(0, 1),
  Home: () => moved(-state.frames.length),
  End: () => moved(state.frames.length),
  " ": () => (player.direction ? player.stop() : player.play(1)),
  j: () => player.play(-1),
  k: () => player.stop(),
  l: () => player.play(1),
  n: () => goToFlag(1),
  "Shift+n": () => goToFlag(-1),
  w: () => toggled("wipe"),
  s: () => toggled("side"),
  d: () => toggled("difference"),
  x: () => setViews([state.views[1], state.views[0]]),
  "[": () => view.setWipe(view.wipe - 0.02),
  "]": () => view.setWipe(view.wipe + 0.02),
  f: () => view.fit(),
  0: () => view.zoomTo(1),
  "+": () => view.zoomBy(1.5),
  "=": () => view.zoomBy(1.5),
  "-": () => view.zoomBy(1 / 1.5),
  e: () => nudge("stops", 0.5),
  "Shift+e": () => nudge("stops", -0.5),
  g: () => nudge("gamma", 0.1),
  "Shift+g": () => nudge("gamma", -0.1),
  r: reset,
  h: () => byId("keys").showModal(),
  "?": () => byId("keys").showModal(),
};

function onKey(event) {
  const typing = event.target.closest?.("input, select, textarea, dialog, summary");
  const pressing = event.target.closest?.("button, a") && (event.key === " " || event.key === "Enter");
  if (typing || pressing || event.ctrlKey || event.altKey || event.metaKey) return;
  const digit = /^Digit([1-9])$/.exec(event.code)?.[1];
  const letter = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const isShifted = event.shiftKey && (event.key.length > 1 || /[a-z]/i.test(event.key));
  const action = digit ? () => chooseView(Number(digit) - 1, event.shiftKey ? 1 : 0) : KEYS[isShifted ? `Shift+${letter}` : letter];
  if (!action) return;
  action();
  event.preventDefault();
  event.stopImmediatePropagation();
}

function chooseView(number, which) {
  const option = byId("view-a").options[number];
  if (!option || option.disabled) return;
  const views = [...state.views];
  views[which] = option.value;
  setViews(views);
}

// Beginning --------------------------------------------------------------

const onClick = (id, action) => byId(id).addEventListener("click", action);
onClick("first", KEYS.Home);
onClick("last", KEYS.End);
onClick("previous", KEYS.ArrowLeft);
onClick("next", KEYS.ArrowRight);
onClick("previous-flag", () => goToFlag(-1));
onClick("next-flag", () => goToFlag(1));
onClick("play", KEYS[" "]);
onClick("fit", KEYS.f);
onClick("actual", KEYS[0]);
onClick("zoom-in", KEYS["+"]);
onClick("zoom-out", KEYS["-"]);
onClick("reset", reset);
onClick("help", KEYS.h);
for (const button of root.querySelectorAll("[data-mode]")) button.addEventListener("click", () => setMode(button.dataset.mode));
for (const id of ["view-a", "view-b"]) byId(id).addEventListener("change", () => setViews([byId("view-a").value, byId("view-b").value]));
for (const id of ["stops", "gamma", "colour", "of", "trimap_preset"]) byId(id).addEventListener("change", changed);
byId("score").addEventListener("change", drawPlot);
byId("frame").addEventListener("change", () => state.frames.length && show(state.frames[nearest(Number(byId("frame").value))]));
canvas.addEventListener("pointermove", readValues);
scrub(byId("timeline"));
scrub(byId("plot"));
document.addEventListener("keydown", onKey, true);
new ResizeObserver(() => {
  drawTimeline();
  drawPlot();
}).observe(root);
new MutationObserver(() => {
  drawTimeline();
  drawPlot();
}).observe(document.documentElement, { attributeFilter: ["data-theme"] });
watch();
