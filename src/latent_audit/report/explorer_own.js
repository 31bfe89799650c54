"use strict";
// A drawing or a picture of one's own: encoders place it on the planes, decoders draw it again, and what was lost is said.
const ExplorerOwn = (() => {
  const TINY = 1e-7, STEP = 0.5, ALIKE = 5;
  const clamp = (v, low, high) => Math.min(Math.max(v, low), high);

  // ---- without the page -------------------------------------------------------------------------------------------------
  function errorOf(decoded, pixels, kind) { // nats, all constants kept: cross-entropy, or a Gaussian of unit variance
    let sum = 0;
    for (let i = 0; i < pixels.length; i++) {
      const p = clamp(decoded[i], TINY, 1 - TINY), d = decoded[i] - pixels[i];
      sum += kind === "mse" ? 0.5 * d * d : -pixels[i] * Math.log(p) - (1 - pixels[i]) * Math.log(1 - p);
    }
    return kind === "mse" ? sum + 0.5 * pixels.length * Math.log(2 * Math.PI) : sum;
  }

  // Pixels (channel, row, column) in the middle of zeros, as the images were padded; or (inwards false) that middle alone.
  function framed(pixels, channels, from, to, inwards = true) {
    const out = new Float32Array(channels * to[0] * to[1]), [outer, inner] = inwards ? [to, from] : [from, to];
    const top = Math.floor((outer[0] - inner[0]) / 2), left = Math.floor((outer[1] - inner[1]) / 2);
    for (let c = 0; c < channels; c++)
      for (let row = 0; row < inner[0]; row++)
        for (let column = 0; column < inner[1]; column++) {
          const large = (c * outer[0] + row + top) * outer[1] + column + left, small = (c * inner[0] + row) * inner[1] + column;
          if (inwards) out[large] = pixels[small]; else out[small] = pixels[large];
        }
    return out;
  }

  // A line of soft dots from one place to another, in pixels; every channel takes the same ink.
  function stroke(pixels, [height, width], from, to, radius, ink) {
    const n = Math.max(1, Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]) / STEP)), size = height * width;
    for (let k = 0; k <= n; k++) {
      const x = from[0] + (k / n) * (to[0] - from[0]), y = from[1] + (k / n) * (to[1] - from[1]);
      for (let row = Math.max(0, Math.floor(y - radius - 1)); row <= Math.min(height - 1, y + radius + 1); row++)
        for (let column = Math.max(0, Math.floor(x - radius - 1)); column <= Math.min(width - 1, x + radius + 1); column++) {
          const cover = clamp(radius + 0.5 - Math.hypot(column + 0.5 - x, row + 0.5 - y), 0, 1);
          for (let i = row * width + column; i < pixels.length; i += size) pixels[i] += cover * (ink - pixels[i]);
        }
    }
  }

  function edgeOf(pixels, [height, width]) { // mean of the outermost pixels of the first channel
    let sum = 0, n = 0;
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++)
        if (row === 0 || column === 0 || row === height - 1 || column === width - 1) { sum += pixels[row * width + column]; n++; }
    return sum / n;
  }

  function boxOf(pixels, [height, width], edge) { // what differs from the edge: [left, top, width, height]; all where nothing does
    let [left, top, right, bottom] = [width, height, -1, -1];
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++)
        if (Math.abs(pixels[row * width + column] - edge) > 0.1) {
          left = Math.min(left, column); right = Math.max(right, column); top = Math.min(top, row); bottom = Math.max(bottom, row);
        }
    return right < 0 ? [0, 0, width, height] : [left, top, right - left + 1, bottom - top + 1];
  }

  // ---- a picture that is dropped or chosen --------------------------------------------------------------------------------
  function read(context, [height, width], channels) { // a canvas over black -> (channel, row, column) in [0, 1]
    const data = context.getImageData(0, 0, width, height).data, n = height * width, out = new Float32Array(channels * n);
    for (let i = 0; i < n; i++) {
      const [r, g, b] = [0, 1, 2].map((c) => (data[4 * i + c] * data[4 * i + 3]) / 65025);
      if (channels === 1) out[i] = 0.299 * r + 0.587 * g + 0.114 * b; else { out[i] = r; out[n + i] = g; out[2 * n + i] = b; }
    }
    return out;
  }

  function canvasOf([height, width]) {
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    context.imageSmoothingQuality = "high";
    return context;
  }

  // The picture without its margins, as large as it fits; a grey one is inverted where its edge is not like those of the images.
  async function fitted(file, channels, native, ground) {
    const picture = await createImageBitmap(file), most = 256 / Math.max(picture.width, picture.height);
    const size = [picture.height, picture.width].map((side) => Math.max(1, Math.round(side * Math.min(1, most)))), look = canvasOf(size);
    look.drawImage(picture, 0, 0, size[1], size[0]);
    const seen = read(look, size, 1), edge = edgeOf(seen, size), box = boxOf(seen, size, edge), share = picture.width / size[1];
    const inverts = channels === 1 && Math.abs(edge - ground) > 0.5, scale = Math.min(native[1] / box[2], native[0] / box[3]);
    const [w, h] = [box[2] * scale, box[3] * scale], page = canvasOf(native), grey = Math.round(255 * edge);
    page.fillStyle = channels === 1 ? `rgb(${grey},${grey},${grey})` : "black";
    page.fillRect(0, 0, native[1], native[0]);
    page.drawImage(picture, ...box.map((v) => v * share), (native[1] - w) / 2, (native[0] - h) / 2, w, h);
    const pixels = read(page, native, channels);
    return inverts ? pixels.map((v) => 1 - v) : pixels;
  }

  // ---- the pad ----------------------------------------------------------------------------------------------------------------
  function begin(x) {
    const root = x.app.querySelector(".x-own"), pad = root?.querySelector(".x-pad");
    if (!pad) return;
    const { data } = x, [channels, ...whole] = data.shape, native = data.native, shape = [channels, ...native];
    const ground = channels === 1 && x.sprite ? Math.round(edgeOf(x.pixels(1), whole)) : 0, said = root.querySelector(".x-own-said");
    const own = { pixels: new Float32Array(channels * native[0] * native[1]).fill(ground), cursor: [native[1] / 2, native[0] / 2], full: null, blank: true };
    const number = (name) => Number(root.querySelector(`[data-own=${name}]`).value), cells = new Map();
    for (const cell of root.querySelectorAll(".x-own-arm")) cells.set(cell.dataset.arm, cell);
    let encoders = null, queued = false;
    [pad.height, pad.width] = native;

    function paint() {
      const context = pad.getContext("2d");
      Plane.paint(own.pixels, shape, context);
      if (!pad.matches(":focus-visible")) return;
      context.fillStyle = "#f60";
      context.fillRect(Math.floor(own.cursor[0]), Math.floor(own.cursor[1]), 1, 1);
    }
    function showAlike() { // the shown test images that are most like the picture itself
      const slot = root.querySelector(".x-own-alike"), [height, width] = whole;
      if (!slot || !x.sprite) return;
      const found = ExplorerMath.closestPictures(own.full, x.pixels(), own.full.length, ALIKE), canvas = slot.querySelector("canvas"), one = document.createElement("canvas");
      [canvas.width, canvas.height] = [found.length * (width + 1) - 1, height];
      found.forEach((i, k) => { x.photo(one, i); canvas.getContext("2d").drawImage(one, k * (width + 1), 0); });
      const names = found.map((i) => (data.classes.length > 1 ? data.classes[data.labels[i]] : `image ${data.indices[i]}`));
      slot.querySelector("span").textContent = `Most like it, pixel by pixel, of the test images here: ${names.join(", ")}.`;
    }
    const arms = () => x.arms.filter((arm) => arm.encode);
    async function changed() { // at most once a frame: an encoder takes about as long as a decoder
      paint();
      own.blank = false;
      if (queued) return;
      queued = true;
      encoders ||= Promise.all(x.arms.map((arm) => ExplorerArm.giveEncoder(arm, data)));
      await encoders;
      requestAnimationFrame(() => {
        queued = false;
        if (own.blank) return; // cleared in the meantime
        own.full = framed(own.pixels, channels, native, whole);
        root.classList.add("x-drawn");
        showAlike();
        x.place(new Map(arms().map((arm) => [arm.id, arm.encode(own.full).slice()])));
      });
    }
    const ink = (from, to) => { stroke(own.pixels, native, from, to, number("width") / 2, number("ink") / 100); changed(); };
    const take = async (file) => {
      try { own.pixels = await fitted(file, channels, native, ground); said.textContent = ""; changed(); }
      catch { said.textContent = `${file.name} is no picture that this browser can read.`; }
    };

    x.own = {
      clear() { own.pixels.fill(ground); own.blank = true; root.classList.remove("x-drawn"); said.textContent = ""; x.state.own = null; paint(); x.refresh(); },
      copy() {
        const i = x.state.pins.z, size = channels * whole[0] * whole[1];
        if (i < 0) { said.textContent = "Pick a test image first: click a dot of a plane."; return; }
        own.pixels = framed(x.pixels().slice(i * size, (i + 1) * size), channels, whole, native, false);
        said.textContent = "";
        changed();
      },
      photo(canvas) { canvas.width = whole[1]; canvas.height = whole[0]; canvas.classList.remove("empty"); Plane.paint(own.full, data.shape, canvas.getContext("2d")); },
      lost(arm, picture) { // error, and where it stands among those of the test images
        arm.errors ||= [...arm.nll].sort((p, q) => p - q);
        const error = errorOf(picture, own.full, arm.reconstruction), below = arm.errors.filter((one) => one < error).length / arm.errors.length;
        return `${error.toFixed(0)} nats; ${(100 * below).toFixed(0)}% of the test images lose less (median ${arm.errors[arm.errors.length >> 1].toFixed(0)})`;
      },
      show(arm, rows) { // the same beside the pad, from what stands beside the plane
        const cell = cells.get(arm.id), canvas = cell.querySelector("canvas");
        [canvas.height, canvas.width] = whole;
        canvas.getContext("2d").drawImage(arm.image, 0, 0);
        x.list(cell.querySelector("dl"), rows.filter(([term]) => ["place", "error"].includes(term)));
      },
    };
    addInput(x, { pad, native, own, ink, paint, take, file: root.querySelector("input[type=file]") });
    paint();
  }

  function addInput(x, { pad, native, own, ink, paint, take, file }) {
    let last = null;
    const at = (event) => { const box = pad.getBoundingClientRect(); return [((event.clientX - box.left) / box.width) * native[1], ((event.clientY - box.top) / box.height) * native[0]]; };
    pad.addEventListener("pointerdown", (event) => { if (event.button) return; pad.setPointerCapture(event.pointerId); last = at(event); ink(last, last); });
    pad.addEventListener("pointermove", (event) => { if (last) { const now = at(event); ink(last, now); last = now; } });
    for (const end of ["pointerup", "pointercancel"]) pad.addEventListener(end, () => { last = null; });
    pad.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if ((!way && event.key !== " ") || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const from = own.cursor;
      if (way) own.cursor = [0, 1].map((axis) => clamp(from[axis] + way[axis], 0.5, native[1 - axis] - 0.5));
      if (!way || event.shiftKey) ink(from, own.cursor); else paint();
    });
    for (const name of ["focus", "blur"]) pad.addEventListener(name, paint);
    pad.addEventListener("dragover", (event) => event.preventDefault());
    pad.addEventListener("drop", (event) => { event.preventDefault(); if (event.dataTransfer.files.length) take(event.dataTransfer.files[0]); });
    file.addEventListener("change", () => { if (file.files.length) take(file.files[0]); file.value = ""; });
  }

  return { begin, errorOf, framed, stroke, edgeOf, boxOf };
})();
if (typeof module !== "undefined") module.exports = ExplorerOwn;
