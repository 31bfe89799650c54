"use strict";
// What the explorer works out without touching the page: ranks, random streams, views of a plane, places in holes.
const ExplorerMath = (() => {
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

  const far = (p, q) => Math.hypot(p[0] - q[0], p[1] - q[1]);

  function nextThatWay(points, from, dx, dy, allowed = () => true) { // nearest within 60 degrees of the direction, or -1
    let best = -1, bestCost = Infinity;
    for (let i = 0; i < points.length; i++) {
      if (!allowed(i)) continue;
      const x = points[i][0] - from[0], y = points[i][1] - from[1];
      const along = x * dx + y * dy, across = Math.abs(x * dy - y * dx);
      if (along < 1e-6 || across > 1.7 * along) continue;
      const cost = along + 2 * across;
      if (cost < bestCost) { bestCost = cost; best = i; }
    }
    return best;
  }

  function nearest(points, from, within = Infinity, allowed = () => true) { // index of the nearest point, or -1
    let best = -1, least = within;
    for (let i = 0; i < points.length; i++) {
      const distance = allowed(i) ? far(points[i], from) : Infinity;
      if (distance < least) { least = distance; best = i; }
    }
    return best;
  }

  function uniforms(seed) { // mulberry32
    let state = seed >>> 0;
    return () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
  }

  function normals(seed) { // a seeded stream of standard normals, by Box and Muller
    const uniform = uniforms(seed);
    return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  }

  // Draws of a mixture of Gaussians: its weights, means, and per component a root of the covariance, row by row.
  function drawsOf(law, n, dims, seed) {
    const normal = normals(seed), uniform = uniforms(seed + 7919);
    return Array.from({ length: n }, () => {
      const e = Float32Array.from({ length: dims }, normal);
      if (!law) return e;
      let k = 0;
      for (let left = uniform(); k < law.weights.length - 1 && left > law.weights[k]; k++) left -= law.weights[k];
      return e.map((_, d) => law.means[k][d] + e.reduce((sum, x, j) => sum + law.roots[k][d][j] * x, 0));
    });
  }

  // ---- views: the square of the plane that is shown, { x, y, s } in code units; s is half of its side -----------------
  function fitted(points, least) { // all but the outermost hundredth of the points, and +-least about 0
    const ends = [0, 1].map((axis) => {
      const sorted = points.map((p) => p[axis]).sort((p, q) => p - q), cut = Math.floor(0.005 * sorted.length);
      return [Math.min(sorted[cut], -least), Math.max(sorted[sorted.length - 1 - cut], least)];
    });
    const s = (1.06 * Math.max(...ends.map(([low, high]) => high - low))) / 2;
    return { x: (ends[0][0] + ends[0][1]) / 2, y: (ends[1][0] + ends[1][1]) / 2, s };
  }

  const toScreen = (view, side, [x, y]) => [((x - view.x + view.s) / (2 * view.s)) * side, ((view.y + view.s - y) / (2 * view.s)) * side];
  const toPlane = (view, side, [px, py]) => [(px / side) * 2 * view.s - view.s + view.x, view.y + view.s - (py / side) * 2 * view.s];

  function zoomed(view, factor, about = [view.x, view.y]) {
    return { x: about[0] + (view.x - about[0]) * factor, y: about[1] + (view.y - about[1]) * factor, s: view.s * factor };
  }

  // Where a point outside the square stands at its edge, and which way it lies; null for one inside.
  function atEdge([x, y], side, rim) {
    if (x >= 0 && x <= side && y >= 0 && y <= side) return null;
    const clamp = (v) => Math.min(Math.max(v, rim), side - rim), edge = [clamp(x), clamp(y)];
    return { at: edge, angle: Math.atan2(y - edge[1], x - edge[0]) };
  }

  function ticks(low, high) { // whole steps of 1, 2 or 5, at most six
    const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 1e4, 1e5].find((one) => (high - low) / one <= 6) || high - low;
    const found = [];
    for (let at = Math.ceil(low / step) * step; at <= high; at += step) found.push(Math.round(at * 10) / 10);
    return found;
  }

  // ---- holes: bits of a square map, row 0 at the bottom -----------------------------------------------------------------
  function holeAt(maps, [x, y]) { // the finest map that has the place; beyond all of them there is no code
    for (const { bits, side, span } of maps) {
      const column = Math.floor(((x + span) / (2 * span)) * side), row = Math.floor(((y + span) / (2 * span)) * side);
      if (column < 0 || row < 0 || column >= side || row >= side) continue;
      const i = row * side + column;
      return Boolean(bits[i >> 3] & (128 >> (i & 7)));
    }
    return maps.length > 0;
  }

  // What stands at a place in cells of equal prior mass, row 0 at the bottom; null beyond the middles of the outermost ones.
  function cellAt({ cells, side }, point) {
    const [u, v] = point.map(phi), rim = 0.5 / side;
    if (Math.min(u, v) < rim || Math.max(u, v) > 1 - rim) return null;
    return cells[Math.floor(v * side) * side + Math.floor(u * side)];
  }

  function deepestHole({ bits, side, span }) { // the densest place of the prior whose neighbourhood is a hole, or null
    let best = null, most = 0;
    const inside = (row, column) => holeAt([{ bits, side, span }], [((column + 0.5) / side) * 2 * span - span, ((row + 0.5) / side) * 2 * span - span]);
    for (let row = 2; row < side - 2; row++) {
      for (let column = 2; column < side - 2; column++) {
        if (![[0, 0], [2, 0], [-2, 0], [0, 2], [0, -2]].every(([r, c]) => inside(row + r, column + c))) continue;
        const x = ((column + 0.5) / side) * 2 * span - span, y = ((row + 0.5) / side) * 2 * span - span;
        const density = Math.exp(-(x * x + y * y) / 2);
        if (density > most) { most = density; best = [x, y]; }
      }
    }
    return best;
  }

  // The images of pixels (n x size) closest to `picture` in the mean square, by their indices, the closest first.
  function closestPictures(picture, pixels, size, most) {
    const found = []; // { i, sum }, sorted
    for (let i = 0, n = pixels.length / size; i < n; i++) {
      const least = found.length < most ? Infinity : found[most - 1].sum;
      let sum = 0;
      for (let k = 0; k < size && sum < least; k++) { const d = picture[k] - pixels[i * size + k]; sum += d * d; }
      if (sum >= least) continue;
      found.splice(found.findIndex((one) => one.sum > sum) >>> 0, 0, { i, sum });
      found.length = Math.min(found.length, most);
    }
    return found.map(({ i }) => i);
  }

  function inside(path, [x, y]) { // whether a closed path goes round a point, by the even-odd rule
    let odd = false;
    for (let i = 0, j = path.length - 1; i < path.length; j = i++) {
      const [a, b] = path[i], [c, d] = path[j];
      if (b > y !== d > y && x < ((c - a) * (y - b)) / (d - b) + a) odd = !odd;
    }
    return odd;
  }

  function typical(points, labels, label) { // the member of a class that is nearest to its mean, or -1
    const members = labels.flatMap((l, i) => (l === label ? [i] : []));
    const centre = [0, 1].map((axis) => members.reduce((sum, i) => sum + points[i][axis], 0) / (members.length || 1));
    return members.reduce((best, i) => (best < 0 || far(points[i], centre) < far(points[best], centre) ? i : best), -1);
  }

  return {
    phi, rankOf, atRank, far, nextThatWay, nearest, normals, drawsOf, fitted, toScreen, toPlane, zoomed, atEdge, ticks, holeAt,
    cellAt, deepestHole, closestPictures, inside, typical,
  };
})();
if (typeof module !== "undefined") module.exports = ExplorerMath;
