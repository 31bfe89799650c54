"use strict";
// The explorer: a plane of codes per arm, and what each arm's decoder draws at the chosen point.
const Explorer = (() => {
  const STEPS = 9, DRAWS = 8, PICK_RADIUS = 16, WINDOW = 3.5;
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // ---- pure helpers -------------------------------------------------------------------------------------------------
  function phi(x) { // the normal distribution function; Abramowitz & Stegun 7.1.26, error below 1.5e-7
    const t = 1 / (1 + 0.3275911 * Math.abs(x) / Math.SQRT2);
    const poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    const erf = 1 - poly * Math.exp(-x * x / 2);
    return x >= 0 ? (1 + erf) / 2 : (1 - erf) / 2;
  }

  function rankOf(value, table) { // position among sorted quantiles, in [0, table.length - 1]; linear between them
    let low = 0, high = table.length - 1;
    if (value <= table[0]) return 0;
    if (value >= table[high]) return high;
    while (high - low > 1) { const mid = (low + high) >> 1; if (table[mid] <= value) low = mid; else high = mid; }
    const gap = table[high] - table[low];
    return low + (gap > 0 ? (value - table[low]) / gap : 0);
  }

  function atRank(rank, table) {
    const low = Math.min(Math.floor(rank), table.length - 2);
    return table[low] + (rank - low) * (table[low + 1] - table[low]);
  }

  function nextThatWay(points, from, dx, dy) { // index of the nearest point within 60 degrees of the direction, or -1
    let best = -1, bestCost = Infinity;
    for (let i = 0; i < points.length; i++) {
      const x = points[i][0] - from[0], y = points[i][1] - from[1];
      const along = x * dx + y * dy, across = Math.abs(x * dy - y * dx);
      if (along < 1e-6 || across > 1.7 * along) continue;
      const cost = along + 2 * across;
      if (cost < bestCost) { bestCost = cost; best = i; }
    }
    return best;
  }

  function normals(seed) { // a seeded stream of standard normals: mulberry32 and Box-Muller
    let state = seed >>> 0;
    const uniform = () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
    return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  }

  const words = (x) => (Math.abs(x) < 5e-3 ? "0.00" : x.toFixed(2)).replace("-", "−");

  // ---- pictures -----------------------------------------------------------------------------------------------------
  function paint(pixels, shape, context, left = 0, top = 0) {
    const [channels, height, width] = shape, image = context.createImageData(width, height), n = height * width;
    for (let i = 0; i < n; i++) {
      for (let c = 0; c < 3; c++) image.data[4 * i + c] = 255 * pixels[(channels === 1 ? 0 : c) * n + i];
      image.data[4 * i + 3] = 255;
    }
    context.putImageData(image, left, top);
  }

  function lattice(picture, shape) { // z -> pixels blended from the four nearest tiles of a 21 x 21 sheet over [-3, 3]^2
    const side = 21, tile = picture.width / side, [channels, height, width] = shape;
    const canvas = new OffscreenCanvas(width, height), context = canvas.getContext("2d", { willReadFrequently: true });
    const out = new Float32Array(channels * height * width);
    return (z, dims) => {
      const clamp = (v) => Math.min(Math.max((v + 3) / 6, 0), 1) * (side - 1);
      const x = clamp(z[dims[0]]), y = side - 1 - clamp(z[dims[1]]);
      const x0 = Math.min(Math.floor(x), side - 2), y0 = Math.min(Math.floor(y), side - 2);
      out.fill(0);
      for (const [dx, dy] of [[0, 0], [1, 0], [0, 1], [1, 1]]) {
        const share = (dx ? x - x0 : 1 - x + x0) * (dy ? y - y0 : 1 - y + y0);
        if (share <= 0) continue;
        context.drawImage(picture, (x0 + dx) * tile, (y0 + dy) * tile, tile, tile, 0, 0, width, height);
        const data = context.getImageData(0, 0, width, height).data;
        for (let c = 0; c < channels; c++)
          for (let i = 0; i < height * width; i++) out[c * height * width + i] += (share * data[4 * i + c]) / 255;
      }
      return out;
    };
  }

  async function loaded(uri) {
    const picture = new Image();
    picture.src = uri;
    await picture.decode();
    return picture;
  }

  // ---- the page -----------------------------------------------------------------------------------------------------
  async function start() {
    const app = document.getElementById("explorer-app");
    if (!app) return;
    const data = JSON.parse(document.getElementById("explorer-data").textContent);
    const state = { mode: data.sprite ? "pick" : "move", link: "z", all: false, picked: -1, drawSeed: 1 };
    const arms = [...app.querySelectorAll(".x-arm")].map((root) => readArm(root, data));
    await Promise.all(arms.map((arm) => giveDecoder(arm, data, app.dataset.symbols)));
    const sprite = data.sprite ? await loaded(document.getElementById("explorer-sprite").src) : null;
    const original = document.getElementById("x-original"), status = document.getElementById("x-words");
    let queued = false;

    const reach = Math.max(WINDOW, ...arms.map((arm) => Math.max(...arm.points.map((p) => Math.max(Math.abs(p[0]), Math.abs(p[1]))))));
    const span = () => (state.all ? 1.05 * reach : WINDOW);

    function refresh() {
      if (queued) return;
      queued = true;
      requestAnimationFrame(() => {
        queued = false;
        for (const arm of arms) { drawPlane(arm); showImage(arm); }
        showStatus();
      });
    }

    // ---- choosing -----------------------------------------------------------------------------------------------------
    function pick(index) {
      if (index < 0) return;
      state.picked = index;
      for (const arm of arms) arm.z = arm.codes.slice(index * arm.dims, (index + 1) * arm.dims);
      refresh();
    }

    function move(source, z) {
      state.picked = -1;
      source.z = z;
      for (const arm of arms) {
        if (arm === source || state.link === "none" || arm.dims !== source.dims) continue;
        arm.z = Float32Array.from(z, (v, d) =>
          state.link === "z" ? v : atRank(rankOf(v, source.quantiles[d]), arm.quantiles[d]));
      }
      setMode("move");
      refresh();
    }

    function moveTo(arm, x, y) {
      const z = arm.z.slice();
      z[arm.dims2[0]] = x;
      if (arm.dims > 1) z[arm.dims2[1]] = y;
      move(arm, z);
    }

    function setMode(mode) {
      state.mode = mode;
      const radio = app.querySelector(`input[name=x-mode][value=${mode}]`);
      if (radio) radio.checked = true;
      for (const arm of arms) arm.plane.style.touchAction = mode === "move" ? "none" : "manipulation";
    }

    // ---- drawing ------------------------------------------------------------------------------------------------------
    function place(arm, x, y) {
      const side = arm.plane.width, s = span();
      return [((x + s) / (2 * s)) * side, ((s - y) / (2 * s)) * side];
    }

    function background(arm) {
      const side = arm.plane.width, key = `${side} ${state.all} ${css("--ink")}`;
      if (arm.key === key) return arm.back;
      const canvas = new OffscreenCanvas(side, side), c = canvas.getContext("2d"), ratio = side / arm.plane.clientWidth;
      if (arm.holes) {
        const shade = new OffscreenCanvas(arm.holeSide, arm.holeSide), h = shade.getContext("2d");
        h.fillStyle = css(arm.colour);
        for (let i = 0; i < arm.holeSide ** 2; i++) {
          if (!((arm.holes[i >> 3] >> (7 - (i & 7))) & 1)) continue;
          const [u, v] = [i % arm.holeSide, Math.floor(i / arm.holeSide)].map((k) => ((k + 0.5) / arm.holeSide * 2 - 1) * arm.span);
          h.globalAlpha = 0.7 * Math.exp(-(u * u + v * v) / 4);
          h.fillRect(i % arm.holeSide, arm.holeSide - 1 - Math.floor(i / arm.holeSide), 1, 1);
        }
        const [x0, y0] = place(arm, -arm.span, arm.span), [x1, y1] = place(arm, arm.span, -arm.span);
        c.drawImage(shade, x0, y0, x1 - x0, y1 - y0);
      }
      c.strokeStyle = css("--muted"); c.lineWidth = 0.6 * ratio;
      const [ox, oy] = place(arm, 0, 0);
      c.beginPath(); c.moveTo(0, oy); c.lineTo(side, oy); c.moveTo(ox, 0); c.lineTo(ox, side); c.stroke();
      c.setLineDash([4 * ratio, 3 * ratio]);
      for (const radius of [1, 2, 3]) { c.beginPath(); c.arc(ox, oy, place(arm, radius, 0)[0] - ox, 0, 7); c.stroke(); }
      c.setLineDash([]);
      for (let i = 0; i < arm.points.length; i++) {
        const [x, y] = place(arm, ...arm.points[i]);
        c.fillStyle = data.classColours[data.labels[i]]; c.globalAlpha = 0.8;
        c.beginPath(); c.arc(x, y, 2.1 * ratio, 0, 7); c.fill();
      }
      arm.key = key; arm.back = canvas;
      return canvas;
    }

    function drawPlane(arm) {
      const side = Math.round(arm.plane.clientWidth * (devicePixelRatio || 1));
      if (!side) return;
      if (arm.plane.width !== side) arm.plane.width = arm.plane.height = side;
      const c = arm.plane.getContext("2d"), ratio = side / arm.plane.clientWidth;
      c.clearRect(0, 0, side, side);
      c.drawImage(background(arm), 0, 0);
      const ink = css("--ink"), paper = css("--paper");
      if (arm.a && arm.b) {
        const from = place(arm, ...shown(arm, arm.a)), to = place(arm, ...shown(arm, arm.b));
        c.strokeStyle = ink; c.lineWidth = 1.2 * ratio;
        c.beginPath(); c.moveTo(...from); c.lineTo(...to); c.stroke();
        mark(c, from, "A", ratio, ink, paper); mark(c, to, "B", ratio, ink, paper);
      }
      const [x, y] = place(arm, ...shown(arm, arm.z));
      c.lineWidth = 4.5 * ratio; c.strokeStyle = paper;
      c.beginPath(); c.arc(x, y, 7 * ratio, 0, 7); c.stroke();
      c.lineWidth = 2.4 * ratio; c.strokeStyle = ink;
      c.beginPath(); c.arc(x, y, 7 * ratio, 0, 7); c.stroke();
    }

    function mark(c, [x, y], letter, ratio, ink, paper) {
      c.fillStyle = ink; c.beginPath(); c.arc(x, y, 8 * ratio, 0, 7); c.fill();
      c.fillStyle = paper; c.font = `600 ${11 * ratio}px system-ui, sans-serif`; c.textAlign = "center"; c.textBaseline = "middle";
      c.fillText(letter, x, y + 0.5 * ratio);
    }

    function showImage(arm) {
      const context = arm.image.getContext("2d");
      paint(arm.decode(arm.z, arm.dims2), data.shape, context);
      const two = shown(arm, arm.z), rows = [["z", two.map(words).join(", ")], ["Φ(z)", two.map((v) => phi(v).toFixed(3)).join(", ")]];
      if (state.picked >= 0) rows.push(["error", `${arm.nll[state.picked].toFixed(0)} nats`]);
      arm.list.replaceChildren(...rows.flatMap(([term, value]) => {
        const dt = document.createElement("dt"), dd = document.createElement("dd");
        dt.textContent = term; dd.textContent = value;
        return [dt, dd];
      }));
      arm.sliders.forEach(({ input, output, dim }) => { input.value = arm.z[dim]; output.textContent = words(arm.z[dim]); });
    }

    function showStatus() {
      if (state.picked < 0) {
        status.textContent = `A free point: no image has this code. z: ${arms.map((arm) => `${arm.name} (${shown(arm, arm.z).map(words).join(", ")})`).join(", ")}.`;
        if (original) original.getContext("2d").clearRect(0, 0, original.width, original.height);
        if (original) original.classList.add("empty");
        return;
      }
      const [, height, width] = data.shape, at = state.picked;
      const errors = arms.map((arm) => `${arm.name} ${arm.nll[at].toFixed(0)}`).join(", ");
      const of = data.classes.length > 1 ? `: ${data.classes[data.labels[at]]}` : "";
      status.textContent = `Test image ${data.indices[at]}${of}. Reconstruction error in nats: ${errors}.`;
      original.width = width; original.height = height; original.classList.remove("empty");
      original.getContext("2d").drawImage(sprite, (at % data.spriteColumns) * width,
        Math.floor(at / data.spriteColumns) * height, width, height, 0, 0, width, height);
    }

    function strip(canvas, arm, codes) {
      const [, height, width] = data.shape, context = canvas.getContext("2d");
      canvas.width = codes.length * (width + 1) - 1; canvas.height = height;
      codes.forEach((z, index) => paint(arm.decode(z, arm.dims2), data.shape, context, index * (width + 1), 0));
    }

    function showPath() {
      for (const arm of arms) {
        const codes = Array.from({ length: STEPS }, (_, k) => arm.a.map((v, d) => v + (k / (STEPS - 1)) * (arm.b[d] - v)));
        strip(arm.pathStrip, arm, codes);
      }
      refresh();
    }

    function showDraws() {
      const normal = normals(state.drawSeed), most = Math.max(...arms.map((arm) => arm.dims));
      const draws = Array.from({ length: DRAWS }, () => Float32Array.from({ length: most }, normal));
      for (const arm of arms) strip(arm.drawStrip, arm, draws.map((z) => z.slice(0, arm.dims)));
    }

    function setEnd(end) { for (const arm of arms) arm[end] = arm.z.slice(); showPath(); }
    function drawAgain() { state.drawSeed += 1; showDraws(); }

    // ---- events -------------------------------------------------------------------------------------------------------
    function under(arm, event) {
      const box = arm.plane.getBoundingClientRect(), s = span();
      return [((event.clientX - box.left) / box.width) * 2 * s - s, s - ((event.clientY - box.top) / box.height) * 2 * s];
    }

    function nearest(arm, [x, y]) {
      let best = -1, least = (PICK_RADIUS / arm.plane.clientWidth) * 2 * span();
      arm.points.forEach((p, i) => { const d = Math.hypot(p[0] - x, p[1] - y); if (d < least) { least = d; best = i; } });
      return best;
    }

    function onKey(arm, event) {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      const action = { a: () => setEnd("a"), b: () => setEnd("b"), r: drawAgain }[event.key.toLowerCase()];
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (way) {
        event.preventDefault();
        const from = shown(arm, arm.z);
        if (event.shiftKey || state.mode === "move") moveTo(arm, from[0] + 0.1 * way[0], from[1] + 0.1 * way[1]);
        else pick(nextThatWay(arm.points, from, ...way));
      } else if (action) action();
    }

    for (const arm of arms) {
      let pressed = null;
      arm.plane.addEventListener("pointerdown", (event) => {
        pressed = [event.clientX, event.clientY];
        if (state.mode === "move") { arm.plane.setPointerCapture(event.pointerId); moveTo(arm, ...under(arm, event)); }
        else pick(nearest(arm, under(arm, event)));
      });
      arm.plane.addEventListener("pointermove", (event) => {
        const dragging = pressed && event.buttons && Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) > 4;
        if (dragging && (state.mode === "move" || event.pointerType === "mouse")) {
          arm.plane.setPointerCapture(event.pointerId);
          moveTo(arm, ...under(arm, event));
        } else if (state.mode === "pick" && !event.buttons) pick(nearest(arm, under(arm, event)));
      });
      for (const end of ["pointerup", "pointercancel"]) arm.plane.addEventListener(end, () => { pressed = null; });
      arm.plane.addEventListener("keydown", (event) => onKey(arm, event));
      new ResizeObserver(refresh).observe(arm.plane);
    }
    app.addEventListener("change", (event) => {
      if (event.target.name === "x-mode") setMode(event.target.value);
      if (event.target.name === "x-link") state.link = event.target.value;
      if (event.target.id === "x-all") state.all = event.target.checked;
      refresh();
    });
    document.getElementById("x-a").addEventListener("click", () => setEnd("a"));
    document.getElementById("x-b").addEventListener("click", () => setEnd("b"));
    document.getElementById("x-draw").addEventListener("click", drawAgain);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", refresh);

    for (const arm of arms) {
      if (arm.live && arm.dims > 2) addSliders(arm, move);
      arm.pathStrip = addStrip(app.querySelector(".x-path"), arm, "The path from A to B");
      arm.drawStrip = addStrip(app.querySelector(".x-draws"), arm, "Draws from N(0, I)");
    }
    setMode(state.mode);
    begin(arms, data, state, pick, refresh);
    showPath();
    showDraws();
    app.dataset.ready = "true";
    return { arms, state, pick, move, data };
  }

  // The first picture: one image picked; the path between the most typical images of two classes.
  function begin(arms, data, state, pick, refresh) {
    const first = arms[arms.length - 1], typical = (label) => {
      const members = data.labels.map((l, i) => (l === label ? i : -1)).filter((i) => i >= 0);
      const centre = [0, 1].map((d) => members.reduce((sum, i) => sum + first.points[i][d], 0) / (members.length || 1));
      return members.reduce((best, i) => (best < 0 || far(first.points[i], centre) < far(first.points[best], centre) ? i : best), -1);
    };
    const far = (p, q) => Math.hypot(p[0] - q[0], p[1] - q[1]);
    const labels = [...new Set(data.labels)].sort((p, q) => p - q);
    const a = typical(labels[0]);
    const away = (i) => (Math.hypot(...first.points[i]) < WINDOW ? far(first.points[i], first.points[a]) : -1);
    const b = labels.length > 1 ? typical(labels[labels.length - 1]) // of one class: the image in view that is furthest off
      : first.points.reduce((best, _, i) => (away(i) > away(best) ? i : best), a);
    for (const arm of arms) {
      arm.a = data.photos ? arm.codes.slice(a * arm.dims, (a + 1) * arm.dims) : new Float32Array(arm.dims).fill(-1);
      arm.b = data.photos ? arm.codes.slice(b * arm.dims, (b + 1) * arm.dims) : new Float32Array(arm.dims).fill(1);
    }
    if (data.photos) pick(a); else refresh();
  }

  function shown(arm, z) { return [z[arm.dims2[0]], arm.dims > 1 ? z[arm.dims2[1]] : 0]; }

  function readArm(root, data) {
    const raw = data.arms[root.dataset.arm], codes = Decoder.halves(raw.codes), flat = Decoder.halves(raw.quantiles);
    const level = flat.length / raw.dims, n = codes.length / raw.dims;
    const arm = {
      id: root.dataset.arm, name: raw.name, colour: raw.colour, dims: raw.dims, order: raw.order, dims2: raw.plane, span: raw.span, codes,
      nll: Decoder.halves(raw.nll), z: new Float32Array(raw.dims),
      quantiles: Array.from({ length: raw.dims }, (_, d) => flat.subarray(d * level, (d + 1) * level)),
      holes: raw.holes && Decoder.bytesOf(raw.holes), holeSide: raw.holeSide,
      plane: root.querySelector(".x-plane"), image: root.querySelector(".x-image"), list: root.querySelector("dl"),
      slot: root.querySelector(".x-sliders"), sliders: [],
    };
    arm.points = Array.from({ length: n }, (_, i) => shown(arm, codes.subarray(i * raw.dims, (i + 1) * raw.dims)));
    arm.image.width = data.shape[2];
    arm.image.height = data.shape[1];
    return arm;
  }

  async function giveDecoder(arm, data, symbols) {
    const packed = document.querySelector(`.explorer-weights[data-arm="${CSS.escape(arm.id)}"]`);
    arm.live = packed !== null && "DecompressionStream" in window;
    if (arm.live) {
      const weights = await Decoder.inflated(packed.textContent);
      const decode = Decoder.make(data.arms[arm.id].layers, weights, arm.dims, data.shape);
      arm.decode = (z) => decode(z);
    } else {
      const sheet = document.querySelector(`#${CSS.escape(symbols + arm.id)} image`);
      arm.decode = lattice(await loaded(sheet.getAttribute("href")), data.shape);
    }
  }

  function addSliders(arm, move) {
    arm.sliders = arm.order.map((dim) => {
      const label = document.createElement("label"), input = document.createElement("input"), output = document.createElement("output");
      Object.assign(input, { type: "range", min: -3.5, max: 3.5, step: 0.05 });
      label.append(`z${dim} `, input, output);
      input.addEventListener("input", () => { const z = arm.z.slice(); z[dim] = Number(input.value); move(arm, z); });
      arm.slot.append(label);
      return { input, output, dim };
    });
  }

  function addStrip(slot, arm, words) {
    const row = document.createElement("div"), name = document.createElement("span"), canvas = document.createElement("canvas");
    row.className = "strip"; name.textContent = arm.name;
    canvas.setAttribute("role", "img"); canvas.setAttribute("aria-label", `${words}, decoded by ${arm.name}`);
    row.append(name, canvas);
    slot.append(row);
    return canvas;
  }

  return { start, phi, rankOf, atRank, nextThatWay, normals };
})();
if (typeof module !== "undefined") module.exports = Explorer;
else Explorer.start();
