// Draws the timeline of the Judge page, and under it one score over the clip.
import { byId, flaggedRuns, flagsOn, query, root, state } from "./judge_state.js";

const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();

function prepared(element) {
  const density = window.devicePixelRatio || 1;
  const [width, height] = [Math.round(element.clientWidth * density), Math.round(element.clientHeight * density)];
  if (element.width !== width || element.height !== height) [element.width, element.height] = [width, height];
  const context = element.getContext("2d");
  context.clearRect(0, 0, width, height);
  return { context, width, height, density };
}

// Where a place in the clip begins, and how wide it is, in screen pixels.
const column = (at, width) => [(at / state.frames.length) * width, Math.max(1, width / state.frames.length)];

export function drawTimeline() {
  const { context, width, height, density } = prepared(byId("timeline"));
  if (!state.frames.length) return;
  const there = state.stamps[query.get("alpha") ? "alpha" : "plate"] ?? {};
  const bar = height * 0.55;
  const [present, missing] = [colour("--raised"), colour("--ground")];
  state.frames.forEach((frame, at) => {
    const [x, wide] = column(at, width);
    context.fillStyle = there[frame] ? present : missing;
    context.fillRect(x, 0, wide + 0.5, bar);
  });
  context.fillStyle = colour("--warn");
  for (const [first, last] of flaggedRuns()) {
    const [x] = column(first, width);
    context.fillRect(x, bar / 2, Math.max(3 * density, column(last, width)[0] + column(last, width)[1] - x), bar / 2);
  }
  drawNumbers(context, width, height, density);
  drawPlayhead(context, width, bar, density);
}

// Numbers at even steps of 1, 2 or 5 times a power of ten, as far apart as their letters need.
function drawNumbers(context, width, height, density) {
  const letters = parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.8 * density;
  context.fillStyle = colour("--soft");
  context.font = `${letters}px sans-serif`;
  const least = (letters * 6 * state.frames.length) / width;
  const power = 10 ** Math.max(0, Math.floor(Math.log10(least)));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= least);
  for (let at = 0; at < state.frames.length; at += step) {
    context.fillText(state.frames[at], column(at, width)[0] + density, height - 3 * density);
  }
}

function drawPlayhead(context, width, height, density) {
  const at = state.frames.indexOf(state.frame);
  if (at < 0) return;
  const [x, wide] = column(at, width);
  context.fillStyle = colour("--accent");
  context.fillRect(Math.round(x + wide / 2 - density), 0, 2 * density, height);
}

export function drawPlot() {
  const { context, width, height, density } = prepared(byId("plot"));
  const curve = state.curves[Number(byId("score").value) || 0];
  if (!curve || !state.frames.length) return;
  const values = state.frames.map((frame) => curve.values[frame]);
  const known = values.filter((value) => value !== undefined);
  const most = Math.max(curve.top, ...known);
  const top = curve.threshold ? Math.min(most, 4 * curve.threshold) : most;
  const down = (value) => height - 3 * density - Math.min(1, value / top) * (height - 8 * density);
  context.fillStyle = colour("--flagged");
  state.frames.forEach((frame, at) => {
    if (!flagsOn(frame).some((flag) => curve.kinds.includes(flag.kind))) return;
    const [x, wide] = column(at, width);
    context.fillRect(x, 0, Math.max(3 * density, wide), height);
  });
  if (curve.threshold) {
    context.strokeStyle = colour("--warn");
    context.setLineDash([6 * density, 6 * density]);
    line(context, [[0, down(curve.threshold)], [width, down(curve.threshold)]]);
    context.setLineDash([]);
  }
  context.strokeStyle = context.fillStyle = colour("--accent");
  context.lineWidth = 1.5 * density;
  drawCurve(context, values, width, down, density);
  drawPlayhead(context, width, height, density);
  tellScore(curve);
}

function drawCurve(context, values, width, down, density) {
  let part = [];
  values.forEach((value, at) => {
    if (value === undefined) {
      line(context, part);
      part = [];
      return;
    }
    const [x, wide] = column(at, width);
    part.push([x + wide / 2, down(value)]);
    if (values.length < width / (6 * density)) context.fillRect(x + wide / 2 - 1.5 * density, down(value) - 1.5 * density, 3 * density, 3 * density);
  });
  line(context, part);
}

function line(context, points) {
  context.beginPath();
  points.forEach(([x, y], at) => (at ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.stroke();
}

function tellScore(curve) {
  const value = curve.values[state.frame];
  const said = value === undefined ? (state.notJudged[state.frame] ?? "not measured") : value.toPrecision(3);
  byId("score-now").textContent = `${said}${curve.threshold ? `, threshold ${curve.threshold}` : ""}`;
  byId("plot").setAttribute("aria-label", `${curve.title} over the clip; frame ${state.frame}: ${said}`);
}
