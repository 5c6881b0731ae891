// Shows pictures of frames on a canvas: zoom, pan, and two views in a wipe, side by side or as their difference.
//
// It knows no addresses: whoever uses it gives a function that makes them. Use:
//
//   const view = new PictureView(canvas, { address: (name, frame, portion) => "/pictures/..." });
//   view.setSize(width, height);          full pixels of a frame
//   view.show({ frame: 1001, views: ["plate", "alpha"], mode: "wipe" });
//   view.addEventListener("painted", ...)  after each drawing; view.painted is what it showed
//   view.overlay = (context, toScreen) => { ... }   draws on top of every picture; see prompts.js
//
// `portion` is {size: N}, the longest side in pixels, or {region: [x, y, width, height]} in full pixels.

const TILE = 512; // full pixels
const SIZES = [640, 960, 1280, 1920, 2560, 3840, 5120, 8192]; // longest sides that are asked for
const AT_ONCE = 4; // requests
const KEPT_BYTES = 384 * 1024 * 1024; // of decoded pictures
const MOST_ZOOM = 64; // screen pixels a pixel
export const MODES = ["single", "wipe", "side", "difference"];

// Decoded pictures by address: what is wanted first comes first, what nobody wants any more is not waited for.
export class PictureStore extends EventTarget {
  constructor(limit = KEPT_BYTES) {
    super();
    this.limit = limit;
    this.bytes = 0;
    this.kept = new Map();
    this.coming = new Map();
    this.wanted = [];
  }

  get(address) {
    const found = this.kept.get(address);
    if (found) {
      this.kept.delete(address);
      this.kept.set(address, found);
    }
    return found;
  }

  // Say which addresses are wanted, the most urgent first. All others that are on their way are dropped.
  want(addresses) {
    this.wanted = addresses.filter((address) => !this.kept.has(address));
    const still = new Set(this.wanted);
    for (const [address, abort] of this.coming) if (!still.has(address)) abort.abort();
    this.#next();
  }

  // Forget messages: the page answers again, or files that could not be read were written once more.
  forgetMessages() {
    for (const [address, picture] of this.kept) if (picture.message) this.kept.delete(address);
  }

  #next() {
    while (this.coming.size < AT_ONCE) {
      const address = this.wanted.find((one) => !this.coming.has(one));
      if (address === undefined) return;
      this.#load(address);
    }
  }

  async #load(address) {
    const abort = new AbortController();
    this.coming.set(address, abort);
    let picture = null;
    try {
      picture = await fetched(address, abort.signal);
    } catch (error) {
      if (error.name !== "AbortError") picture = { message: "The page does not answer. Run `videomama web` again.", bytes: 0 };
    }
    this.coming.delete(address);
    this.wanted = this.wanted.filter((one) => one !== address);
    if (picture) {
      this.#keep(address, picture);
      this.dispatchEvent(new CustomEvent("came", { detail: address }));
    }
    this.#next();
  }

  #keep(address, picture) {
    this.kept.set(address, picture);
    this.bytes += picture.bytes;
    for (const [oldest, one] of this.kept) {
      if (this.bytes <= this.limit || oldest === address) return;
      this.kept.delete(oldest);
      this.bytes -= one.bytes;
      one.bitmap?.close();
    }
  }
}

async function fetched(address, signal) {
  const answer = await fetch(address, { signal });
  const message = answer.headers.get("X-Picture-Message");
  if (message) return { message: decodeURIComponent(message), bytes: 0 };
  if (!answer.ok) return { message: `The page answered ${answer.status}. Load it again.`, bytes: 0 };
  const bitmap = await createImageBitmap(await answer.blob());
  return { bitmap, bytes: bitmap.width * bitmap.height * 4 };
}

export class PictureView extends EventTarget {
  constructor(canvas, { address, store = new PictureStore() }) {
    super();
    this.canvas = canvas;
    this.address = address;
    this.store = store;
    this.size = [0, 0];
    this.wanted = { frame: null, views: [], mode: "single" };
    this.painted = { frame: null, messages: [] };
    this.ahead = []; // frames that are fetched before they are shown
    this.wipe = 0.5; // of the picture's width
    this.zoom = null; // screen pixels a full pixel; null fits the picture
    this.center = [0.5, 0.5]; // of the frame, in the middle of the pane
    this.overlay = null;
    this.canDrag = true;
    store.addEventListener("came", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(canvas);
    this.#listen();
  }

  setSize(width, height) {
    this.size = [width, height];
    this.draw();
  }

  show(wanted) {
    this.wanted = { ...this.wanted, ...wanted };
    this.draw();
  }

  // Whether all that a frame needs at screen size is here.
  isReady(frame) {
    return this.#screenAddresses(frame).every((address) => this.store.kept.has(address));
  }

  fit() {
    this.zoom = null;
    this.center = [0.5, 0.5];
    this.draw();
  }

  // Zoom so that the place on the canvas stays where it is; without a place, the middle.
  zoomTo(zoom, place = null) {
    const pane = this.#panes()[0];
    const at = place ?? [pane.x + pane.width / 2, pane.y + pane.height / 2];
    const [x, y] = this.toPicture(at);
    this.zoom = Math.min(MOST_ZOOM, Math.max(Math.min(this.#fitted(pane), 1) / 4, zoom));
    const own = this.#paneAt(at);
    this.center = [
      (x - (at[0] - own.x - own.width / 2) / this.zoom) / this.size[0],
      (y - (at[1] - own.y - own.height / 2) / this.zoom) / this.size[1],
    ];
    this.draw();
  }

  zoomBy(factor, place = null) {
    this.zoomTo(this.scale(this.#panes()[0]) * factor, place);
  }

  // Screen pixels a full pixel.
  scale(pane = this.#panes()[0]) {
    return this.zoom ?? this.#fitted(pane);
  }

  // The full pixel, with fractions, under a place of the canvas in screen pixels.
  toPicture([x, y]) {
    const pane = this.#paneAt([x, y]);
    const scale = this.scale(pane);
    const [left, top] = this.#corner(pane, scale);
    return [(x - left) / scale, (y - top) / scale];
  }

  // Where an event's pointer is on the canvas, in screen pixels.
  placeOf(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) * this.#density(), (event.clientY - box.top) * this.#density()];
  }

  draw() {
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = null;
      this.#paint();
    });
  }

  #density() {
    return window.devicePixelRatio || 1;
  }

  #panes() {
    const { width, height } = this.canvas;
    if (this.wanted.mode !== "side") return [{ x: 0, y: 0, width, height }];
    const half = Math.floor(width / 2);
    return [
      { x: 0, y: 0, width: half - 1, height },
      { x: half + 1, y: 0, width: width - half - 1, height },
    ];
  }

  #paneAt([x]) {
    const panes = this.#panes();
    return panes.length > 1 && x >= panes[1].x ? panes[1] : panes[0];
  }

  #fitted(pane) {
    const [width, height] = this.size;
    return width && height ? Math.min(pane.width / width, pane.height / height) : 1;
  }

  // Where the frame's upper left lies on the canvas.
  #corner(pane, scale) {
    const left = pane.x + pane.width / 2 - this.center[0] * this.size[0] * scale;
    const top = pane.y + pane.height / 2 - this.center[1] * this.size[1] * scale;
    return [Math.round(left), Math.round(top)];
  }

  #names() {
    return this.wanted.mode === "single" ? this.wanted.views.slice(0, 1) : this.wanted.views.slice(0, 2);
  }

  // The size of pictures that cover the canvas: as many pixels as the screen has, whatever the zoom.
  #screenSize() {
    const longest = Math.max(...this.size, 1);
    const shown = Math.max(this.canvas.width, this.canvas.height, 320);
    return Math.min(SIZES.find((size) => size >= Math.min(shown, longest)) ?? 8192, Math.max(longest, 16));
  }

  #screenAddresses(frame) {
    return this.#names().map((name) => this.address(name, frame, { size: this.#screenSize() }));
  }

  // The regions of full pixels that are seen, where the picture at screen size has fewer pixels than the screen.
  #tiles() {
    const panes = this.#panes();
    const scale = this.scale(panes[0]);
    const [width, height] = this.size;
    if (!width || scale * Math.max(width, height) <= this.#screenSize() * 1.05) return [];
    if (this.#screenSize() >= Math.max(width, height) && Math.max(width, height) <= 2048 && scale <= 1) return [];
    const found = new Map();
    for (const pane of panes) {
      const [left, top] = this.#corner(pane, scale);
      const first = [Math.max(0, (pane.x - left) / scale), Math.max(0, (pane.y - top) / scale)];
      const last = [Math.min(width, (pane.x + pane.width - left) / scale), Math.min(height, (pane.y + pane.height - top) / scale)];
      for (let y = Math.floor(first[1] / TILE) * TILE; y < last[1]; y += TILE) {
        for (let x = Math.floor(first[0] / TILE) * TILE; x < last[0]; x += TILE) {
          found.set(`${x},${y}`, [x, y, Math.min(TILE, width - x), Math.min(TILE, height - y)]);
        }
      }
    }
    return [...found.values()].slice(0, 96);
  }

  #paint() {
    const { canvas } = this;
    const width = Math.round(canvas.clientWidth * this.#density());
    const height = Math.round(canvas.clientHeight * this.#density());
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    const frame = this.#frameToPaint();
    this.#want();
    const context = canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    this.painted = { frame, messages: [] };
    if (frame !== null) this.#paintFrame(context, frame);
    this.dispatchEvent(new Event("painted"));
  }

  // The wanted frame once it is here; until then the one before stays.
  #frameToPaint() {
    const { frame } = this.wanted;
    if (frame === null || this.isReady(frame)) return frame;
    const before = this.painted.frame;
    return before !== null && this.isReady(before) ? before : frame;
  }

  #want() {
    const { frame } = this.wanted;
    if (frame === null) return;
    const tiles = this.#tiles();
    const full = this.#names().flatMap((name) => tiles.map((region) => this.address(name, frame, { region })));
    const ahead = this.ahead.flatMap((one) => this.#screenAddresses(one));
    this.store.want([...new Set([...this.#screenAddresses(frame), ...full, ...ahead])]);
  }

  #paintFrame(context, frame) {
    const [first, second = first] = this.#names();
    const panes = this.#panes();
    const { mode } = this.wanted;
    this.#clipped(context, panes[0], () => this.#paintView(context, panes[0], first, frame));
    if (mode === "side") this.#clipped(context, panes[1], () => this.#paintView(context, panes[1], second, frame));
    if (mode === "wipe") this.#paintWiped(context, panes[0], second, frame);
    if (mode === "difference") this.#paintDifference(context, panes[0], second, frame);
    for (const pane of panes) {
      if (this.overlay) this.#clipped(context, pane, () => this.overlay(context, (place) => this.#toScreen(pane, place), frame));
    }
  }

  // A view may be painted in several parts, one over the other, so it is whole before it is taken from the first.
  #paintDifference(context, pane, name, frame) {
    this.scratch ??= document.createElement("canvas");
    [this.scratch.width, this.scratch.height] = [this.canvas.width, this.canvas.height];
    this.#paintView(this.scratch.getContext("2d"), pane, name, frame);
    context.globalCompositeOperation = "difference";
    context.drawImage(this.scratch, 0, 0);
    context.globalCompositeOperation = "source-over";
  }

  #toScreen(pane, [x, y]) {
    const scale = this.scale(pane);
    const [left, top] = this.#corner(pane, scale);
    return [left + x * scale, top + y * scale];
  }

  #clipped(context, pane, paint) {
    context.save();
    context.beginPath();
    context.rect(pane.x, pane.y, pane.width, pane.height);
    context.clip();
    paint();
    context.restore();
  }

  // Where the line of the wipe is, in screen pixels.
  wipeLine() {
    const pane = this.#panes()[0];
    const [left] = this.#toScreen(pane, [this.wipe * this.size[0], 0]);
    return Math.round(Math.min(pane.width - 1, Math.max(1, left)));
  }

  #paintWiped(context, pane, name, frame) {
    const line = this.wipeLine();
    const right = { x: line, y: pane.y, width: pane.width - line, height: pane.height };
    this.#clipped(context, right, () => {
      context.clearRect(right.x, right.y, right.width, right.height);
      this.#paintView(context, pane, name, frame);
    });
    context.fillStyle = "rgba(0, 0, 0, .6)";
    context.fillRect(line - 2, pane.y, 4, pane.height);
    context.fillStyle = "#fff";
    context.fillRect(line - 1, pane.y, 2, pane.height);
    context.beginPath();
    context.arc(line, pane.height - 24 * this.#density(), 7 * this.#density(), 0, 7);
    context.fill();
  }

  #paintView(context, pane, name, frame) {
    const scale = this.scale(pane);
    const [left, top] = this.#corner(pane, scale);
    const [width, height] = this.size.map((side) => side * scale);
    const screen = this.store.get(this.address(name, frame, { size: this.#screenSize() }));
    if (screen?.message && !this.painted.messages.includes(screen.message)) this.painted.messages.push(screen.message);
    if (screen?.bitmap) {
      context.imageSmoothingEnabled = scale * this.size[0] < screen.bitmap.width * 3;
      context.imageSmoothingQuality = "high";
      context.drawImage(screen.bitmap, left, top, width, height);
    }
    for (const region of this.#tiles()) this.#paintTile(context, [left, top, scale], this.store.get(this.address(name, frame, { region })), region);
  }

  #paintTile(context, [left, top, scale], tile, [x, y, width, height]) {
    if (!tile?.bitmap) return;
    context.imageSmoothingEnabled = scale < 2;
    const [from, to] = [left + Math.round(x * scale), left + Math.round((x + width) * scale)];
    const [above, below] = [top + Math.round(y * scale), top + Math.round((y + height) * scale)];
    context.drawImage(tile.bitmap, from, above, to - from, below - above);
  }

  #listen() {
    const { canvas } = this;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoomBy(2 ** (-event.deltaY / 300), this.placeOf(event));
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.#press(event));
    canvas.addEventListener("dblclick", () => this.canDrag && this.fit());
  }

  // A press on the wipe's line moves it; any other press moves the picture.
  #press(event) {
    const [x, y] = this.placeOf(event);
    const onLine = this.wanted.mode === "wipe" && Math.abs(x - this.wipeLine()) < 10 * this.#density();
    if (event.button > 1 || (!onLine && !this.canDrag && event.button === 0)) return;
    const from = { x, y, center: this.center };
    const move = (moved) => (onLine ? this.#moveWipe(moved) : this.#pan(moved, from));
    this.canvas.setPointerCapture(event.pointerId);
    const end = () => {
      this.canvas.removeEventListener("pointermove", move);
      this.canvas.removeEventListener("pointerup", end);
      this.canvas.removeEventListener("pointercancel", end);
    };
    this.canvas.addEventListener("pointermove", move);
    this.canvas.addEventListener("pointerup", end);
    this.canvas.addEventListener("pointercancel", end);
  }

  #moveWipe(event) {
    this.setWipe(this.toPicture(this.placeOf(event))[0] / this.size[0]);
  }

  setWipe(share) {
    this.wipe = Math.min(1, Math.max(0, share));
    this.draw();
  }

  #pan(event, from) {
    const [x, y] = this.placeOf(event);
    const scale = this.scale();
    this.zoom = scale;
    this.center = [from.center[0] - (x - from.x) / scale / this.size[0], from.center[1] - (y - from.y) / scale / this.size[1]];
    this.draw();
  }
}
