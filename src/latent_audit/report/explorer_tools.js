"use strict";
// What a visitor can do beside moving the point: the tour, the rain of draws, the path played, search, links; what a point is.
const ExplorerTools = (() => {
  const M = ExplorerMath, RAIN = 200, SECONDS = 1.6, quiet = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
  const percent = (share) => `${(100 * share).toFixed(1)}%`;

  // ---- what a point is --------------------------------------------------------------------------------------------------
  function about(x, arm, z, picked, picture) {
    const { data, shown, words } = x, point = shown(arm, z), near = M.nearest(arm.points, point), rows = [];
    const own = picked < 0 && x.state.own?.has(arm.id), alike = picked < 0 && !own && x.sprite ? M.closestPictures(picture, x.pixels(), picture.length, 1)[0] : -1;
    rows.push(["z", point.map(words).join(", ")]);
    if (arm.maps.length) {
      const hole = M.holeAt(arm.maps, point);
      rows.push(["place", hole ? "in a hole: no test code is near" : "codes are near", hole ? "x-bad" : "x-good"]);
    }
    if (arm.dims === 2) rows.push(["prior", `${percent(Math.exp(-(point[0] ** 2 + point[1] ** 2) / 2))} of its draws lie further out`]);
    const name = (i) => (data.classes.length > 1 ? data.classes[data.labels[i]] : `image ${data.indices[i]}`);
    if (picked < 0 && arm.dims <= 2) rows.push(["nearest code", `${name(near)}, ${words(M.far(arm.points[near], point))} away`]);
    if (alike >= 0) rows.push(["most alike", `${name(alike)}, image ${data.indices[alike]}`]);
    if (arm.original) {
      arm.original.classList.toggle("x-alike", alike >= 0);
      arm.caption.textContent = own ? "yours" : alike >= 0 ? "most alike" : "original";
      if (own) x.own.photo(arm.original); else if (alike >= 0) x.photo(arm.original, alike);
    }
    if (own) { rows.push(["error", x.own.lost(arm, picture)]); x.own.show(arm, rows); }
    const seen = arm.critic ? M.cellAt(arm.critic, point) : null; // of the nearest place whose picture the critic was shown
    if (seen !== null && seen in data.classes) rows.push(["critic", `${data.classes[seen]}, in the nearest of ${arm.critic.side} × ${arm.critic.side} pictures`]);
    if (picked >= 0) rows.push(["error", `${arm.nll[picked].toFixed(0)} nats`]);
    return rows;
  }

  // The test images of the page as numbers in [0, 1], in the order of a decoded picture: read a row of the sprite at a time,
  // while nothing else is to be done or when they are needed. x.pixels(): all of them; x.pixels(n): at least the first n.
  function addPixels(x) {
    const { shape: [channels, height, width], labels, spriteColumns } = x.data, size = channels * height * width;
    const out = new Float32Array(labels.length * size), rows = Math.ceil(labels.length / spriteColumns), wide = spriteColumns * width;
    const context = new OffscreenCanvas(wide, height).getContext("2d", { willReadFrequently: true });
    let read = 0;
    function readRow() {
      context.clearRect(0, 0, wide, height);
      context.drawImage(x.sprite, 0, -read * height);
      const { data } = context.getImageData(0, 0, wide, height);
      for (let k = 0, i = read * spriteColumns; k < spriteColumns && i < labels.length; k++, i++)
        for (let c = 0, at = i * size; c < channels; c++)
          for (let row = 0; row < height; row++)
            for (let column = 0; column < width; column++, at++) out[at] = data[4 * (row * wide + k * width + column) + c] / 255;
      read++;
    }
    x.pixels = (n = labels.length) => { while (read < rows && read * spriteColumns < n) readRow(); return out; };
    for (let row = 0; row < rows; row++) x.later(`row ${row} of the images`, () => { x.pixels((row + 1) * spriteColumns); });
  }

  // ---- the rain: draws fall on every plane, those in holes are counted ------------------------------------------------
  const law = (x) => x.app.querySelector("input[name=x-law]:checked")?.value || "prior";

  function rain(x) {
    x.state.seed += 1;
    const draws = x.draws(law(x), RAIN), begun = performance.now(), all = x.arms.map((arm, k) =>
      draws[k].map((z) => { const point = x.shown(arm, z); return { point, hole: M.holeAt(arm.maps, point) }; }));
    x.showDraws(law(x));
    const step = (now) => {
      const share = quiet() ? 1 : Math.min(1, (now - begun) / 1000 / SECONDS), n = Math.ceil(share * RAIN);
      x.arms.forEach((arm, k) => {
        x.state.drops.set(arm.id, all[k].slice(0, n));
        const hits = all[k].slice(0, n).filter((drop) => drop.hole).length;
        const measured = law(x) === "prior" && arm.holeShare !== null ? `; measured: ${percent(arm.holeShare)}` : "";
        arm.count.textContent = arm.maps.length ? `${hits} of ${n} in holes (${percent(hits / Math.max(n, 1))})${measured}` : `${n} draws`;
      });
      x.redraw();
      if (share < 1) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  function clear(x) { x.state.drops.clear(); x.state.lasso = null; x.app.querySelector(".x-lasso").replaceChildren(); for (const arm of x.arms) arm.count.textContent = ""; x.redraw(); }

  // ---- a lasso: the test images whose codes it goes round ---------------------------------------------------------------
  function surround(x, arm, path) {
    const found = arm.points.flatMap((point, i) => (x.visible(i) && M.inside(path, point) ? [i] : [])), most = 24;
    const slot = x.app.querySelector(".x-lasso"), [, height, width] = x.data.shape, canvas = document.createElement("canvas");
    const shown = found.filter((_, k) => k % Math.ceil(found.length / most) === 0), counts = new Map();
    for (const i of found) counts.set(x.data.labels[i], (counts.get(x.data.labels[i]) || 0) + 1);
    const commonest = [...counts].sort((p, q) => q[1] - p[1]).slice(0, 3).map(([label, n]) => `${x.data.classes[label] ?? "images"} ${n}`);
    const words = `${found.length} codes of ${arm.name}${found.length ? `: ${commonest.join(", ")}` : ""}`;
    canvas.width = Math.max(shown.length * (width + 1), 1); canvas.height = height;
    canvas.setAttribute("role", "img"); canvas.setAttribute("aria-label", words);
    if (x.sprite) shown.forEach((i, k) => canvas.getContext("2d").drawImage(x.sprite, (i % x.data.spriteColumns) * width, Math.floor(i / x.data.spriteColumns) * height, width, height, k * (width + 1), 0, width, height));
    const said = document.createElement("p");
    said.textContent = words;
    slot.replaceChildren(said, ...(x.sprite && found.length ? [canvas] : []));
  }

  // ---- the path, played ----------------------------------------------------------------------------------------------------
  function play(x) {
    const begun = performance.now(), button = x.app.querySelector("[data-action=play]");
    button.disabled = true;
    const step = (now) => {
      const share = quiet() ? 1 : Math.min(1, (now - begun) / 3000);
      x.state.pins.z = share < 1 ? -1 : x.state.pins.b;
      x.state.own = null;
      for (const arm of x.arms) arm.at.z = x.between(arm, share);
      x.refresh();
      if (share < 1) requestAnimationFrame(step); else button.disabled = false;
    };
    requestAnimationFrame(step);
  }

  // ---- the tour ------------------------------------------------------------------------------------------------------------
  function tourOf(x) { // the steps that these arms and images have, each with what it says
    const { arms, data, pin, free } = x, last = arms[arms.length - 1], labels = [...new Set(data.labels)].sort((p, q) => p - q);
    const label = labels.find((l) => /shirt/i.test(data.classes[l])) ?? labels[0], name = (l) => data.classes[l] ?? "image";
    const emptiest = arms.filter((arm) => arm.maps.length).sort((p, q) => q.holeShare - p.holeShare)[0];
    const hole = emptiest && M.deepestHole(emptiest.maps[0]), fullest = emptiest && [...arms].sort((p, q) => p.holeShare - q.holeShare)[0];
    const steps = [];
    if (data.photos) steps.push({ button: `A typical ${name(label)}`, words: `The test image whose code is closest to the middle of all of ${name(label)}: every arm draws it again from two numbers.`, go: () => pin("z", M.typical(last.points, data.labels, label)) });
    const spot = (arm) => { // the place is in the first two dimensions shown; all arms go to the same z
      x.app.querySelector("input[name=x-link][value=z]").checked = true;
      x.state.link = "z";
      x.tab(arm.id);
      free("z", emptiest, Float32Array.from(hole));
    };
    if (hole) {
      steps.push({ button: `Into the hole of ${emptiest.name}`, words: `Where N(0, I) is densest and ${emptiest.name} has no code near: a draw may land here, and the decoder was never taught what to draw.`, go: () => spot(emptiest) });
      if (fullest !== emptiest) steps.push({ button: `The same spot in ${fullest.name}`, words: `The same two numbers in ${fullest.name}: codes lie around them, so the decoder has seen their neighbours.`, go: () => spot(fullest) });
    }
    if (data.photos && labels.length > 1) {
      const b = labels[labels.length - 1] === label ? labels[0] : labels[labels.length - 1];
      steps.push({ button: "Across a border", words: `A straight line from a typical ${name(label)} to a typical ${name(b)}, decoded at every step.`, go: () => {
        pin("a", M.typical(last.points, data.labels, label)); pin("b", M.typical(last.points, data.labels, b)); play(x); } });
    }
    return steps;
  }

  function addTour(x) {
    const slot = x.app.querySelector(".x-tour"), words = x.app.querySelector("#x-tour-words");
    for (const [k, step] of tourOf(x).entries()) {
      const button = document.createElement("button");
      button.type = "button"; button.dataset.action = `tour-${k + 1}`; button.textContent = `${k + 1}. ${step.button}`;
      button.addEventListener("click", () => { step.go(); words.textContent = step.words; });
      slot.append(button);
    }
  }

  // ---- the address of the page keeps the chosen images, and the coordinates of points that are free -------------------------
  function readHash(x) {
    const found = new URLSearchParams(location.hash.replace(/^#explorer\??/, "")), place = (key) => x.data.indices.indexOf(Number(found.get(key) ?? NaN));
    for (const [key, kind] of [["image", "z"], ["a", "a"], ["b", "b"]]) {
      if (place(key) >= 0) x.pin(kind, place(key));
      else x.put(kind, (arm) => found.get(`${kind}.${arm.id}`)?.split(",").map(Number));
    }
    if (location.hash.startsWith("#explorer?")) document.getElementById("explorer").scrollIntoView();
  }

  function writeHash(x) {
    const parts = Object.entries(x.state.pins).flatMap(([kind, i]) => (i >= 0
      ? [`${kind === "z" ? "image" : kind}=${x.data.indices[i]}`]
      : x.arms.map((arm) => `${kind}.${arm.id}=${Array.from(arm.at[kind], (v) => Number(v.toFixed(4))).join(",")}`)));
    history.replaceState(null, "", `#explorer?${parts.join("&")}`);
    x.app.querySelector("#x-said").textContent = "The address of this page now holds the point and both ends of the path.";
  }

  function save(x) { // all decoded pictures side by side, as a file
    const canvas = document.createElement("canvas"), [, height, width] = x.data.shape;
    canvas.width = 4 * width * x.arms.length; canvas.height = 4 * height;
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    x.arms.forEach((arm, k) => context.drawImage(arm.image, 4 * width * k, 0, 4 * width, 4 * height));
    const link = document.createElement("a");
    link.href = canvas.toDataURL("image/png"); link.download = "decoded.png"; link.click();
  }

  function goTo(x) {
    const field = x.app.querySelector("#x-index"), wanted = Number(field.value), { indices } = x.data;
    const found = indices.reduce((best, index, i) => (Math.abs(index - wanted) < Math.abs(indices[best] - wanted) ? i : best), 0);
    x.pin("z", found);
    x.app.querySelector("#x-said").textContent = indices[found] === wanted ? "" : `Image ${wanted} is not among these ${indices.length}; ${indices[found]} is the nearest number.`;
  }

  function toggleClass(x, button) {
    const label = Number(button.dataset.label), { off } = x.state;
    if (off.includes(label)) off.splice(off.indexOf(label), 1); else off.push(label);
    button.setAttribute("aria-pressed", String(!off.includes(label)));
    x.redraw();
  }

  const ACTIONS = {
    "set-a": (x) => x.setEnd("a"), "set-b": (x) => x.setEnd("b"), play, rain, clear, save, goto: goTo, "clear-own": (x) => x.own.clear(), "copy-own": (x) => x.own.copy(), link: writeHash, class: toggleClass,
    draw: (x) => { x.state.seed += 1; x.showDraws(law(x)); },
    tab: (x, button) => x.tab(button.dataset.arm),
    fit: (x) => x.look((arm) => M.fitted(arm.points, 3.5)),
    prior: (x) => x.look(() => ({ x: 0, y: 0, s: 3.5 })),
    "zoom-in": (x) => x.look((arm) => M.zoomed(arm.view, 1 / 1.4, x.shown(arm, arm.at.z))),
    "zoom-out": (x) => x.look((arm) => M.zoomed(arm.view, 1.4)),
    decoded: (x, button) => { x.state.decoded = !x.state.decoded; button.setAttribute("aria-pressed", String(x.state.decoded)); x.redraw(); Promise.all(x.arms.map((arm) => ExplorerArm.giveSheet(arm, x.app.dataset.symbols))).then(x.redraw); },
  };
  function act(x, action, button) { ACTIONS[action]?.(x, button); }

  function begin(x) {
    const { app, arms, data, state } = x;
    if (x.sprite) addPixels(x);
    x.about = (...given) => about(x, ...given);
    for (const arm of arms) arm.caption = arm.root.querySelector(".x-of-original");
    ExplorerOwn.begin(x);
    const last = arms[arms.length - 1], labels = [...new Set(data.labels)].sort((p, q) => p - q);
    const first = M.typical(last.points, data.labels, labels[0]), end = M.typical(last.points, data.labels, labels[labels.length - 1]);
    const furthest = last.points.reduce((best, p, i) => (Math.hypot(...p) < 3.5 && M.far(p, last.points[first]) > M.far(last.points[best], last.points[first]) ? i : best), first);
    for (const arm of arms) {
      arm.at.a = data.photos ? x.codeOf(arm, first) : new Float32Array(arm.dims).fill(-1);
      arm.at.b = data.photos ? x.codeOf(arm, end === first ? furthest : end) : new Float32Array(arm.dims).fill(1);
      if (data.photos) arm.at.z = arm.at.a.slice();
    }
    if (data.photos) state.pins = { z: first, a: first, b: end === first ? furthest : end };
    addTour(x);
    x.showDraws("prior");
    x.tab(arms[0].id);
    readHash(x);
    app.addEventListener("click", (event) => {
      const button = event.target.closest("[data-action]");
      if (button && app.contains(button)) act(x, button.dataset.action, button);
    });
    app.addEventListener("change", (event) => {
      if (event.target.name === "x-link") state.link = event.target.value;
      if (event.target.name === "x-law") { clear(x); x.showDraws(event.target.value); }
      if (event.target.id === "x-index") goTo(x);
    });
  }

  return { begin, act, surround };
})();
Explorer.start();
