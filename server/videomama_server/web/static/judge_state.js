// What the Judge page knows of its clip; judge.js learns it, timeline.js draws it.

export const root = document.getElementById("judge");
export const byId = (id) => document.getElementById(id);
export const state = {
  frames: [],
  stamps: {},
  flags: [],
  curves: [],
  notJudged: {},
  frame: null,
  views: ["plate", "alpha"],
  mode: "single",
  size: [0, 0],
};
export const query = new URLSearchParams(root.dataset.query);

export const flagsOn = (frame) => state.flags.filter((flag) => flag.on.has(frame));

// Runs of flagged frames, as places in the clip: the first and the last of each.
export function flaggedRuns() {
  const flagged = new Set(state.flags.flatMap((flag) => flag.frames));
  const runs = [];
  state.frames.forEach((frame, at) => {
    if (!flagged.has(frame)) return;
    if (runs.length && runs.at(-1)[1] === at - 1) runs.at(-1)[1] = at;
    else runs.push([at, at]);
  });
  return runs;
}
