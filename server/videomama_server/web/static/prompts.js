// Lets a person put clicks and boxes on the pictures of a PictureView (viewer.js), by pointer or by keys.
//
//   const layer = new PromptLayer(view);
//   layer.tool = "add" | "subtract" | "box" | "";   "" leaves the pointer to the view, which pans
//   layer.object = "hero";                           whose prompts are made; "" for the only subject
//   layer.prompts                                    a list, JSON as below, on all frames and objects
//   layer.load(prompts)                              replaces them all
//   layer.undo(); layer.remove(index); layer.clear(frame?)
//   layer.addEventListener("change", ...)            after every change that a person made
//
// A prompt has the fields of videomama_client.prompts.Prompt, in full pixels of the plate from its upper left:
//   {"kind": "point", "frame": 1001, "place": [640.0, 300.0], "subject": true, "object": ""}
//   {"kind": "box", "frame": 1001, "place": [10, 10, 400, 500], "subject": true, "object": ""}   x, y, width, height
// A click with Alt or the right button subtracts. One box for each object and frame: a new one replaces it.
//
// By keys, while the canvas has the focus and a tool is chosen: arrows move a cross (with Shift ten times as far),
// Enter clicks or sets the corners of a box, Backspace undoes, Escape leaves a begun box.

const COLOURS = ["#ffb000", "#4fb3ff", "#e06cff", "#5fd68b", "#ff7a6b", "#f2e75c"]; // of objects, in order
const NEAR = 4; // screen pixels: a shorter pull is a click, and no box
const STEP = 1;
const FAR = 10; // full pixels that an arrow moves the cross

export class PromptLayer extends EventTarget {
  constructor(view) {
    super();
    this.view = view;
    this.prompts = [];
    this.object = "";
    this.cross = null;
    this.corner = null;
    this.pulled = null;
    this.chosen = "";
    view.overlay = (context, toScreen, frame) => this.#paint(context, toScreen, frame);
    view.canvas.addEventListener("pointerdown", (event) => this.#press(event));
    view.canvas.addEventListener("contextmenu", (event) => this.tool && event.preventDefault());
    view.canvas.addEventListener("keydown", (event) => this.#key(event));
  }

  get tool() {
    return this.chosen;
  }

  set tool(name) {
    this.chosen = name;
    this.corner = this.pulled = null;
    this.view.canDrag = !name;
    this.view.canvas.classList.toggle("prompting", Boolean(name));
    this.view.draw();
  }

  load(prompts) {
    this.prompts = prompts.map((one) => ({ ...one }));
    this.view.draw();
  }

  undo() {
    if (this.prompts.pop()) this.#changed();
  }

  remove(index) {
    this.prompts.splice(index, 1);
    this.#changed();
  }

  // Take away the prompts of the chosen object, on one frame or on all.
  clear(frame = null) {
    this.prompts = this.prompts.filter((one) => one.object !== this.object || (frame !== null && one.frame !== frame));
    this.#changed();
  }

  #changed() {
    this.view.draw();
    this.dispatchEvent(new Event("change"));
  }

  #inside([x, y]) {
    const [width, height] = this.view.size;
    return [Math.min(Math.max(x, 0), width - 1), Math.min(Math.max(y, 0), height - 1)];
  }

  #isOnFrame([x, y]) {
    return x >= 0 && y >= 0 && x < this.view.size[0] && y < this.view.size[1];
  }

  // A click means the middle of the pixel that it hits.
  #addPoint([x, y], subject) {
    const place = [Math.floor(x) + 0.5, Math.floor(y) + 0.5];
    this.prompts.push({ kind: "point", frame: this.view.painted.frame, place, subject, object: this.object });
    this.#changed();
  }

  #addBox(from, to) {
    const [left, top] = [Math.floor(Math.min(from[0], to[0])), Math.floor(Math.min(from[1], to[1]))];
    const [right, bottom] = [Math.ceil(Math.max(from[0], to[0])), Math.ceil(Math.max(from[1], to[1]))];
    if (right - left < 2 || bottom - top < 2) return;
    const { frame } = this.view.painted;
    const isSame = (one) => one.kind === "box" && one.frame === frame && one.object === this.object;
    this.prompts = this.prompts.filter((one) => !isSame(one));
    this.prompts.push({ kind: "box", frame, place: [left, top, right - left, bottom - top], subject: true, object: this.object });
    this.#changed();
  }

  #press(event) {
    if (!this.tool || event.button === 1 || this.view.painted.frame === null) return;
    const from = this.view.toPicture(this.view.placeOf(event));
    if (!this.#isOnFrame(from)) return;
    if (this.tool !== "box") {
      this.#addPoint(from, this.tool === "add" && !event.altKey && event.button === 0);
      return;
    }
    this.#pull(event, from);
  }

  #pull(event, from) {
    const { canvas } = this.view;
    const begun = this.view.placeOf(event);
    canvas.setPointerCapture(event.pointerId);
    const move = (moved) => {
      this.pulled = [from, this.#inside(this.view.toPicture(this.view.placeOf(moved)))];
      this.view.draw();
    };
    const end = (ended) => {
      for (const name of ["pointermove", "pointerup", "pointercancel"]) canvas.removeEventListener(name, name === "pointermove" ? move : end);
      const [x, y] = this.view.placeOf(ended);
      const pulled = this.pulled;
      this.pulled = null;
      if (pulled && ended.type === "pointerup" && Math.hypot(x - begun[0], y - begun[1]) > NEAR) this.#addBox(...pulled);
      this.view.draw();
    };
    canvas.addEventListener("pointermove", move);
    canvas.addEventListener("pointerup", end);
    canvas.addEventListener("pointercancel", end);
  }

  #key(event) {
    if (!this.tool || event.ctrlKey || event.metaKey) return;
    const step = event.shiftKey ? FAR : STEP;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (moves[event.key]) this.#moveCross(moves[event.key]);
    else if (event.key === "Enter") this.#enter(event);
    else if (event.key === "Backspace") this.undo();
    else if (event.key === "Escape" && this.corner) this.corner = null;
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.view.draw();
  }

  #moveCross([across, down]) {
    const [x, y] = this.cross ?? this.view.size.map((side) => Math.floor(side / 2));
    this.cross = this.#inside([x + across, y + down]);
  }

  #enter(event) {
    if (!this.cross) return;
    if (this.tool !== "box") this.#addPoint(this.cross, this.tool === "add" && !event.altKey);
    else if (!this.corner) this.corner = this.cross;
    else {
      this.#addBox(this.corner, this.cross);
      this.corner = null;
    }
  }

  #colour(name) {
    const names = [...new Set([...this.prompts.map((one) => one.object), this.object])];
    return COLOURS[names.indexOf(name) % COLOURS.length];
  }

  #paint(context, toScreen, frame) {
    const density = window.devicePixelRatio || 1;
    for (const one of this.prompts) if (one.frame === frame) this.#paintPrompt(context, toScreen, one, density);
    const begun = this.pulled ?? (this.corner && this.cross ? [this.corner, this.cross] : null);
    if (begun) paintBox(context, toScreen(begun[0]), toScreen(begun[1]), this.#colour(this.object), density);
    if (this.tool && this.cross && document.activeElement === this.view.canvas) paintCross(context, toScreen(this.cross), density);
  }

  #paintPrompt(context, toScreen, one, density) {
    const colour = this.#colour(one.object);
    const [x, y, width, height] = one.place ?? []; // words and key masks have none
    if (one.kind === "box") paintBox(context, toScreen([x, y]), toScreen([x + width, y + height]), colour, density);
    if (one.kind === "point") paintPoint(context, toScreen([x, y]), one.subject, colour, density);
  }
}

// A plus on a disc for a click that adds, a minus for one that subtracts: colour says only which object it is of.
function paintPoint(context, [x, y], subject, colour, density) {
  const radius = 8 * density;
  context.lineWidth = 2 * density;
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  context.fillStyle = subject ? colour : "#1c1c1c";
  context.fill();
  context.strokeStyle = subject ? "#1c1c1c" : colour;
  context.stroke();
  context.beginPath();
  context.moveTo(x - radius / 2, y);
  context.lineTo(x + radius / 2, y);
  if (subject) {
    context.moveTo(x, y - radius / 2);
    context.lineTo(x, y + radius / 2);
  }
  context.stroke();
}

function paintBox(context, [left, top], [right, bottom], colour, density) {
  context.lineWidth = 4 * density;
  context.strokeStyle = "rgba(0, 0, 0, .7)";
  context.strokeRect(left, top, right - left, bottom - top);
  context.lineWidth = 2 * density;
  context.strokeStyle = colour;
  context.strokeRect(left, top, right - left, bottom - top);
}

function paintCross(context, [x, y], density) {
  const arm = 12 * density;
  for (const [width, colour] of [[4, "rgba(0, 0, 0, .7)"], [2, "#fff"]]) {
    context.lineWidth = width * density;
    context.strokeStyle = colour;
    context.beginPath();
    context.moveTo(x - arm, y);
    context.lineTo(x + arm, y);
    context.moveTo(x, y - arm);
    context.lineTo(x, y + arm);
    context.stroke();
  }
}
