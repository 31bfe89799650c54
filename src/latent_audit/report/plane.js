"use strict";
// One arm's plane of codes on its canvas: holes, circles of the prior, codes, the path, the marks, and what lies outside.
const Plane = (() => {
  const M = typeof module !== "undefined" ? require("./explorer_math.js") : ExplorerMath;
  function colours() { // those of the page's style as it is now: asked for once a frame
    const style = getComputedStyle(document.documentElement);
    const named = (name) => style.getPropertyValue(name).trim();
    return { named, ink: named("--ink"), paper: named("--paper"), muted: named("--muted"), no: named("--no") };
  }
  const DOT = 2.3, RING = 7.5, RADII = [1, 2, 3];

  function paint(pixels, shape, context, left = 0, top = 0) {
    const [channels, height, width] = shape, image = context.createImageData(width, height), n = height * width;
    for (let i = 0; i < n; i++) {
      for (let c = 0; c < 3; c++) image.data[4 * i + c] = 255 * pixels[(channels === 1 ? 0 : c) * n + i];
      image.data[4 * i + 3] = 255;
    }
    context.putImageData(image, left, top);
  }

  function shadeOf(arm, colour) { // the map of holes as a picture, deeper where the prior is denser
    if (arm.shade?.colour === colour) return arm.shade.picture;
    const { bits, side, span } = arm.maps[0], shade = new OffscreenCanvas(side, side), h = shade.getContext("2d");
    h.fillStyle = colour;
    for (let i = 0; i < side * side; i++) {
      if (!(bits[i >> 3] & (128 >> (i & 7)))) continue;
      const x = (((i % side) + 0.5) / side) * 2 * span - span, y = ((Math.floor(i / side) + 0.5) / side) * 2 * span - span;
      h.globalAlpha = 0.85 * Math.exp(-(x * x + y * y) / 4);
      h.fillRect(i % side, side - 1 - Math.floor(i / side), 1, 1);
    }
    arm.shade = { colour, picture: shade };
    return shade;
  }

  function background(arm, data, look) {
    const side = arm.plane.width, { off, decoded, colours: of } = look, key = JSON.stringify([side, arm.view, off, decoded, of.ink]);
    if (arm.key === key) return arm.back;
    const canvas = new OffscreenCanvas(side, side), c = canvas.getContext("2d"), ratio = side / arm.plane.clientWidth;
    const at = (point) => M.toScreen(arm.view, side, point), box = (s) => [...at([-s, s]), at([s, 0])[0] - at([-s, 0])[0]];
    if (decoded) {
      const [x, y, wide] = box(3.15); // 21 tiles about the places of an even lattice on [-3, 3]^2
      c.globalAlpha = 0.55; c.drawImage(arm.sheet, x, y, wide, wide); c.globalAlpha = 1;
    }
    if (arm.maps.length) { const [x, y, wide] = box(arm.maps[0].span); c.imageSmoothingEnabled = false; c.drawImage(shadeOf(arm, of.named(arm.colour)), x, y, wide, wide); }
    axes(c, arm, at, side, ratio, of.muted);
    c.setLineDash([4 * ratio, 3 * ratio]); c.strokeStyle = of.muted; c.lineWidth = 0.9 * ratio;
    const [ox, oy] = at([0, 0]);
    for (const radius of RADII) { c.beginPath(); c.arc(ox, oy, at([radius, 0])[0] - ox, 0, 7); c.stroke(); }
    c.setLineDash([]);
    arm.points.forEach((point, i) => {
      if (off.includes(data.labels[i])) return;
      const [x, y] = at(point);
      c.fillStyle = data.classColours[data.labels[i]]; c.globalAlpha = 0.85;
      c.beginPath(); c.arc(x, y, DOT * ratio, 0, 7); c.fill();
    });
    arm.key = key; arm.back = canvas;
    return canvas;
  }

  function axes(c, arm, at, side, ratio, colour) { // lines through 0, and the numbers of both axes along the rim
    const { x, y, s } = arm.view, [ox, oy] = at([0, 0]);
    c.strokeStyle = colour; c.lineWidth = 0.6 * ratio;
    c.beginPath(); c.moveTo(0, oy); c.lineTo(side, oy); c.moveTo(ox, 0); c.lineTo(ox, side); c.stroke();
    c.fillStyle = colour; c.font = `${10 * ratio}px system-ui, sans-serif`;
    c.textAlign = "center"; c.textBaseline = "bottom";
    for (const tick of M.ticks(x - s, x + s)) { const px = at([tick, 0])[0]; if (px > 12 * ratio && px < side - 12 * ratio) c.fillText(number(tick), px, side - 2 * ratio); }
    c.textAlign = "left"; c.textBaseline = "middle";
    for (const tick of M.ticks(y - s, y + s)) { const py = at([0, tick])[1]; if (py > 12 * ratio && py < side - 18 * ratio) c.fillText(number(tick), 3 * ratio, py); }
  }

  const number = (x) => String(x).replace("-", "−");

  function disc(c, [x, y], radius, ratio, ink, paper) {
    c.lineWidth = 4.5 * ratio; c.strokeStyle = paper; c.beginPath(); c.arc(x, y, radius * ratio, 0, 7); c.stroke();
    c.lineWidth = 2.4 * ratio; c.strokeStyle = ink; c.beginPath(); c.arc(x, y, radius * ratio, 0, 7); c.stroke();
  }

  function letter(c, [x, y], word, ratio, ink, paper) {
    c.fillStyle = ink; c.beginPath(); c.arc(x, y, 8.5 * ratio, 0, 7); c.fill();
    c.fillStyle = paper; c.font = `600 ${11 * ratio}px system-ui, sans-serif`; c.textAlign = "center"; c.textBaseline = "middle";
    c.fillText(word, x, y + 0.5 * ratio);
  }

  function arrow(c, { at: [x, y], angle }, words, ratio, ink, paper, side) { // what lies outside, and where
    c.save(); c.translate(x, y); c.rotate(angle); c.fillStyle = ink;
    c.beginPath(); c.moveTo(9 * ratio, 0); c.lineTo(-5 * ratio, 7 * ratio); c.lineTo(-5 * ratio, -7 * ratio); c.fill(); c.restore();
    c.font = `600 ${11 * ratio}px system-ui, sans-serif`; c.textBaseline = "middle";
    c.textAlign = x > side / 2 ? "right" : "left";
    const to = x + (x > side / 2 ? -14 : 14) * ratio;
    c.lineWidth = 4 * ratio; c.strokeStyle = paper; c.strokeText(words, to, y); c.fillStyle = ink; c.fillText(words, to, y);
  }

  // marks: [{ name, point }], drawn in order; hover: a point or null; drops: [{ point, hole }] of the rain; lasso: a path.
  function draw(arm, data, look, { marks, hover, drops, lasso }) {
    const side = Math.round(arm.plane.clientWidth * (devicePixelRatio || 1));
    if (!side) return;
    if (arm.plane.width !== side) arm.plane.width = arm.plane.height = side;
    const c = arm.plane.getContext("2d"), ratio = side / arm.plane.clientWidth, { ink, paper, muted, no } = look.colours;
    const at = (point) => M.toScreen(arm.view, side, point);
    c.clearRect(0, 0, side, side);
    c.drawImage(background(arm, data, look), 0, 0);
    for (const { point, hole } of drops) {
      const [x, y] = at(point);
      c.fillStyle = hole ? no : ink; c.beginPath(); c.arc(x, y, (hole ? 3.4 : 2.4) * ratio, 0, 7); c.fill();
    }
    if (lasso.length > 1) {
      c.strokeStyle = ink; c.lineWidth = 1.4 * ratio; c.setLineDash([3 * ratio, 3 * ratio]);
      c.beginPath(); lasso.forEach((point) => c.lineTo(...at(point))); c.closePath(); c.stroke(); c.setLineDash([]);
    }
    const ends = marks.filter((mark) => mark.name !== "z").map((mark) => at(mark.point));
    if (ends.length === 2) { c.strokeStyle = ink; c.lineWidth = 1.2 * ratio; c.beginPath(); c.moveTo(...ends[0]); c.lineTo(...ends[1]); c.stroke(); }
    if (hover) disc(c, at(hover), 5, ratio, muted, paper);
    for (const { name, point } of marks) {
      const place = at(point), edge = M.atEdge(place, side, 12 * ratio), word = name === "z" ? "" : name.toUpperCase();
      if (edge) arrow(c, edge, `${word} (${point.map((v) => number(v.toFixed(1))).join(", ")})`.trim(), ratio, ink, paper, side);
      else if (word) letter(c, place, word, ratio, ink, paper);
      else disc(c, place, RING, ratio, ink, paper);
    }
  }

  return { colours, draw, paint };
})();
if (typeof module !== "undefined") module.exports = Plane;
