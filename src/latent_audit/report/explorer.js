"use strict";
// The explorer: hovering previews a code, a click pins it, a drag moves the point or an end of the path; no modes.
const Explorer = (() => {
  const M = ExplorerMath, STEPS = 9, DRAWS = 8, PICK = 16, GRAB = 14, WINDOW = 3.5, BUDGET = 3, KINDS = ["z", "a", "b"];
  const words = (x) => (Math.abs(x) < 5e-3 ? "0.00" : x.toFixed(2)).replace("-", "−");
  const shown = (arm, z) => [z[arm.dims2[0]], arm.dims > 1 ? z[arm.dims2[1]] : 0];

  async function start() {
    const app = document.getElementById("explorer-app");
    if (!app) return;
    const data = JSON.parse(document.getElementById("explorer-data").textContent);
    const arms = [...app.querySelectorAll(".x-arm")].map((root) => ExplorerArm.read(root, data));
    const given = arms.map((arm) => ExplorerArm.giveDecoder(arm, data, app.dataset.symbols));
    const sprite = data.sprite ? await ExplorerArm.loaded(document.getElementById("explorer-sprite").src) : null;
    await Promise.all(given);
    const state = { link: "z", off: [], decoded: false, pins: { z: -1, a: -1, b: -1 }, hover: -1, seed: 1, drops: new Map(), lasso: null, own: null };
    const x = { app, data, arms, sprite, state, status: document.getElementById("x-words"), shown, words };
    const work = ExplorerWork.queue(BUDGET);
    let queued = false, stale = false;

    // What changed is drawn in the next frame, the planes before anything that has to be decoded.
    function wake() { if (!queued) { queued = true; requestAnimationFrame(frame); } }
    function frame() {
      const begun = performance.now();
      queued = false;
      if (stale) { stale = false; drawPlanes(); }
      if (work.some(begun)) wake();
    }
    x.later = (key, job) => { work.later(key, job); wake(); };
    x.redraw = () => { stale = true; wake(); }; // the planes alone
    x.refresh = () => {
      for (const arm of arms) work.soon(`readout of ${arm.id}`, readout(arm));
      work.soon("status", showStatus);
      x.redraw();
    };
    x.visible = (i) => !state.off.includes(data.labels[i]);
    x.codeOf = (arm, i) => arm.codes.slice(i * arm.dims, (i + 1) * arm.dims);

    function drawPlanes() {
      const colours = Plane.colours();
      for (const arm of arms) {
        const marks = [...KINDS].reverse().map((name) => ({ name, point: shown(arm, arm.at[name]) }));
        Plane.draw(arm, data, { off: state.off, decoded: state.decoded && Boolean(arm.sheet), colours }, { marks, hover: state.hover < 0 ? null : arm.points[state.hover], drops: state.drops.get(arm.id) || [], lasso: state.lasso?.id === arm.id ? state.lasso.path : [] });
      }
    }

    // ---- what is chosen -----------------------------------------------------------------------------------------------
    x.pin = (kind, i) => {
      if (i < 0) return;
      state.pins[kind] = i;
      if (kind === "z") state.own = null;
      for (const arm of arms) arm.at[kind] = x.codeOf(arm, i);
      changed(kind);
    };
    x.free = (kind, source, z) => { // the other arms follow to the same z, to the same rank, or not
      state.pins[kind] = -1;
      if (kind === "z") state.own = null;
      source.at[kind] = z;
      for (const arm of arms) {
        if (arm === source || state.link === "none" || arm.dims !== source.dims) continue;
        arm.at[kind] = Float32Array.from(z, (v, d) =>
          state.link === "z" ? v : M.atRank(M.rankOf(v, source.quantiles[d]), arm.quantiles[d]));
      }
      changed(kind);
    };
    x.put = (kind, codeOf) => { // to coordinates, arm by arm; an arm without whole ones keeps its place
      for (const arm of arms) {
        const code = codeOf(arm);
        if (code?.length !== arm.dims || !code.every(Number.isFinite)) continue;
        arm.at[kind] = Float32Array.from(code);
        state.pins[kind] = -1;
      }
      changed(kind);
    };
    x.place = (codes) => { // a picture of one's own, arm by arm; an arm without an encoder keeps its place
      state.pins.z = -1;
      state.own = codes;
      for (const arm of arms) if (codes.has(arm.id)) arm.at.z = codes.get(arm.id).slice();
      changed("z");
    };
    x.freeTo = (kind, arm, [first, second]) => {
      const z = arm.at[kind].slice();
      z[arm.dims2[0]] = first;
      if (arm.dims > 1) z[arm.dims2[1]] = second;
      x.free(kind, arm, z);
    };
    x.setEnd = (end) => {
      state.pins[end] = state.pins.z;
      for (const arm of arms) arm.at[end] = arm.at.z.slice();
      changed(end);
    };
    x.look = (view) => { for (const arm of arms) { const next = view(arm); if (next) arm.view = next; } x.redraw(); };
    x.tab = (id) => {
      for (const arm of arms) arm.root.classList.toggle("x-other", arm.id !== id);
      for (const button of app.querySelectorAll("[data-action=tab]")) button.setAttribute("aria-pressed", button.dataset.arm === id);
      x.redraw();
    };

    function changed(kind) {
      if (kind === "z") x.refresh(); else { showPath(); x.redraw(); }
    }

    // ---- what is said and drawn beside the planes ---------------------------------------------------------------------
    function readout(arm) {
      const i = state.hover >= 0 ? state.hover : state.pins.z, z = state.hover >= 0 ? x.codeOf(arm, i) : arm.at.z;
      return ExplorerWork.inSlices(() => arm.slices(z), (picture) => show(arm, i, z, picture));
    }

    function show(arm, i, z, picture) {
      Plane.paint(picture, data.shape, arm.image.getContext("2d"));
      if (arm.original) x.photo(arm.original, i);
      const rows = x.about ? x.about(arm, z, i, picture) : [["z", shown(arm, z).map(words).join(", ")]];
      x.list(arm.list, rows);
      arm.sliders.forEach(({ input, output, dim }) => { input.value = arm.at.z[dim]; output.textContent = words(arm.at.z[dim]); });
    }

    x.list = (list, rows) => { // only what differs is touched: this happens in every frame of a drag
      while (list.children.length > 2 * rows.length) list.lastChild.remove();
      while (list.children.length < 2 * rows.length) list.append(document.createElement("dt"), document.createElement("dd"));
      rows.forEach((row, k) => [row[0], row[1]].forEach((words, half) => {
        const cell = list.children[2 * k + half];
        if (cell.textContent !== words) cell.textContent = words;
        if (half && cell.className !== (row[2] || "")) cell.className = row[2] || "";
      }));
    };

    x.photo = (canvas, i) => { // test image i, or a dashed frame
      const [, height, width] = data.shape, context = canvas.getContext("2d");
      canvas.classList.toggle("empty", i < 0 || !sprite);
      if (canvas.width !== width) { canvas.width = width; canvas.height = height; }
      context.clearRect(0, 0, width, height);
      if (i < 0 || !sprite) return;
      const from = [(i % data.spriteColumns) * width, Math.floor(i / data.spriteColumns) * height];
      context.drawImage(sprite, ...from, width, height, 0, 0, width, height);
    };

    function say(words) { if (x.status.textContent !== words) x.status.textContent = words; }
    function showStatus() {
      const i = state.hover >= 0 ? state.hover : state.pins.z;
      const placed = state.own ? `Your picture, placed by ${arms.filter((arm) => state.own.has(arm.id)).map((arm) => arm.name).join(", ")}.` : "";
      if (i < 0) return say(placed || "A free point: no test image has this code.");
      const errors = arms.map((arm) => `${arm.name} ${arm.nll[i].toFixed(0)}`).join(", ");
      const of = data.classes.length > 1 ? `: ${data.classes[data.labels[i]]}` : "";
      const preview = state.hover >= 0 && state.hover !== state.pins.z;
      say(`${preview ? "Preview, a click keeps it. " : ""}Test image ${data.indices[i]}${of}. Error in nats: ${errors}.`);
    }

    x.strip = (canvas, arm, codes) => { // a picture stays until its successor is decoded
      const [, height, width] = data.shape, context = canvas.getContext("2d"), whole = codes.length * (width + 1) - 1;
      if (canvas.width !== whole) { canvas.width = whole; canvas.height = height; }
      codes.forEach((z, k) => x.later(`${canvas.getAttribute("aria-label")} ${k}`,
        ExplorerWork.inSlices(() => arm.slices(z), (picture) => Plane.paint(picture, data.shape, context, k * (width + 1), 0))));
    };
    const between = (arm, share) => arm.at.a.map((v, d) => v + share * (arm.at.b[d] - v));
    x.between = between;
    function showPath() { for (const arm of arms) x.strip(arm.pathStrip, arm, Array.from({ length: STEPS }, (_, k) => between(arm, k / (STEPS - 1)))); }
    x.draws = (law, n) => arms.map((arm) => M.drawsOf(law === "prior" ? null : arm.laws[law], n, arm.dims, data.seed * 1009 + state.seed));
    x.showDraws = (law) => x.draws(law, DRAWS).forEach((codes, k) => x.strip(arms[k].drawStrip, arms[k], codes));

    // ---- pointers and keys --------------------------------------------------------------------------------------------
    function under(arm, event) {
      const box = arm.plane.getBoundingClientRect();
      return M.toPlane(arm.view, box.width, [event.clientX - box.left, event.clientY - box.top]);
    }
    const near = (arm, point) => M.nearest(arm.points, point, (PICK / arm.plane.clientWidth) * 2 * arm.view.s, x.visible);
    function grabbed(arm, event) { // the mark under the pointer, also where an arrow at the edge stands for it
      const side = arm.plane.clientWidth, box = arm.plane.getBoundingClientRect(), p = [event.clientX - box.left, event.clientY - box.top];
      return KINDS.find((kind) => {
        const place = M.toScreen(arm.view, side, shown(arm, arm.at[kind])), edge = M.atEdge(place, side, 12);
        return M.far(edge ? edge.at : place, p) < GRAB;
      });
    }

    for (const arm of arms) {
      let press = null;
      arm.plane.addEventListener("pointerdown", (event) => {
        if (event.button) return;
        arm.plane.setPointerCapture(event.pointerId);
        press = { at: [event.clientX, event.clientY], kind: grabbed(arm, event) || "z", marked: Boolean(grabbed(arm, event)), drags: false, from: arm.view, pans: event.shiftKey, path: event.altKey ? [under(arm, event)] : null };
      });
      arm.plane.addEventListener("pointermove", (event) => {
        if (press) {
          const [dx, dy] = [event.clientX - press.at[0], event.clientY - press.at[1]];
          press.drags ||= Math.hypot(dx, dy) > 4;
          if (!press.drags) return;
          const scale = (2 * press.from.s) / arm.plane.clientWidth;
          state.hover = -1;
          if (press.path) { press.path.push(under(arm, event)); state.lasso = { id: arm.id, path: press.path }; x.redraw(); }
          else if (press.pans) { arm.view = { ...press.from, x: press.from.x - dx * scale, y: press.from.y + dy * scale }; x.redraw(); }
          else x.freeTo(press.kind, arm, under(arm, event));
        } else if (event.pointerType === "mouse" && data.photos) {
          const i = near(arm, under(arm, event));
          if (i !== state.hover) { state.hover = i; x.refresh(); }
        }
      });
      arm.plane.addEventListener("pointerup", (event) => {
        if (press?.path && press.drags) ExplorerTools.surround(x, arm, press.path);
        else if (press && !press.drags && !press.marked) {
          const i = data.photos ? near(arm, under(arm, event)) : -1;
          if (i >= 0) x.pin("z", i); else x.freeTo("z", arm, under(arm, event));
        }
        press = null;
      });
      arm.plane.addEventListener("pointercancel", () => { press = null; });
      arm.plane.addEventListener("pointerleave", () => { if (state.hover >= 0) { state.hover = -1; x.refresh(); } });
      arm.plane.addEventListener("wheel", (event) => {
        if (!event.ctrlKey && document.activeElement !== arm.plane) return; // a page that scrolls is not caught
        event.preventDefault();
        arm.view = M.zoomed(arm.view, event.deltaY > 0 ? 1.15 : 1 / 1.15, under(arm, event));
        x.redraw();
      }, { passive: false });
      arm.plane.addEventListener("keydown", (event) => onKey(arm, event));
      new ResizeObserver(x.redraw).observe(arm.plane);
    }

    function onKey(arm, event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      const action = { a: "set-a", b: "set-b", r: "draw", "+": "zoom-in", "=": "zoom-in", "-": "zoom-out", 0: "fit" }[event.key.toLowerCase()];
      if (way) {
        event.preventDefault();
        const from = shown(arm, arm.at.z), step = arm.view.s / 35;
        if (event.shiftKey || !data.photos) x.freeTo("z", arm, [from[0] + step * way[0], from[1] + step * way[1]]);
        else x.pin("z", M.nextThatWay(arm.points, from, ...way, x.visible));
      } else if (action) ExplorerTools.act(x, action);
    }

    for (const arm of arms) {
      if (arm.live && arm.dims > 2) ExplorerArm.addSliders(arm, (z) => x.free("z", arm, z));
      arm.pathStrip = ExplorerArm.addStrip(app.querySelector(".x-path"), arm, "The path from A to B");
      arm.drawStrip = ExplorerArm.addStrip(app.querySelector(".x-draws"), arm, "Eight draws");
      arm.view = M.fitted(arm.points, WINDOW);
    }
    ExplorerTools.begin(x);
    showPath();
    x.refresh();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", x.redraw);
    const place = (arm, kind) => [...arm.at[kind]], places = (kind) => Object.fromEntries(arms.map((arm) => [arm.id, place(arm, kind)]));
    const told = (kind) => (state.pins[kind] >= 0 ? data.indices[state.pins[kind]] : places(kind));
    const views = () => Object.fromEntries(arms.map((arm) => [arm.id, { ...arm.view }]));
    window.latentAudit = { state: () => ({ picked: told("z"), a: told("a"), b: told("b"), points: places("z"), views: views(), waiting: work.left() }) };
    app.dataset.ready = "true";
  }

  return { start };
})();
