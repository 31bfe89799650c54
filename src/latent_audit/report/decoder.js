"use strict";
// The study's decoder in plain JavaScript: Linear, three ConvTranspose2d (kernel 3, stride 2, padding 1, output padding 1)
// with ReLU, one Conv2d (kernel 3, padding 1), sigmoid. Arrays are height x width x channel inside, so that the innermost
// loops run over neighbours in memory; the transposed convolutions skip inputs that ReLU set to zero.
const Decoder = (() => {
  const WIDTHS = [128, 128, 64, 32];

  function halfToFloat(h) {
    const sign = h & 0x8000 ? -1 : 1, exponent = (h >> 10) & 31, fraction = h & 1023;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }

  function bytesOf(base64) {
    const text = atob(base64), bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return bytes;
  }

  function halves(base64) {
    const bytes = bytesOf(base64), n = bytes.length >> 1, out = new Float32Array(n);
    for (let i = 0; i < n; i++) out[i] = halfToFloat(bytes[2 * i] | (bytes[2 * i + 1] << 8));
    return out;
  }

  // Deflated bytes, all high ones before all low ones -> floats. Rejects where the browser cannot inflate.
  async function inflated(base64) {
    const stream = new Blob([bytesOf(base64)]).stream().pipeThrough(new DecompressionStream("deflate"));
    const bytes = new Uint8Array(await new Response(stream).arrayBuffer()), n = bytes.length >> 1;
    const out = new Float32Array(n);
    for (let i = 0; i < n; i++) out[i] = halfToFloat((bytes[i] << 8) | bytes[n + i]);
    return out;
  }

  // PyTorch (in, out, 3, 3) -> (in, tap, out)
  function transposedWeights(flat, nIn, nOut) {
    const w = new Float32Array(flat.length);
    for (let i = 0; i < nIn; i++)
      for (let o = 0; o < nOut; o++)
        for (let tap = 0; tap < 9; tap++) w[(i * 9 + tap) * nOut + o] = flat[(i * nOut + o) * 9 + tap];
    return w;
  }

  const FOUND = new Int32Array(WIDTHS[0] + 3), VALUE = new Float64Array(WIDTHS[0] + 3);

  // Inputs that are not zero, gathered in FOUND and VALUE and filled up to a multiple of four; returns how many.
  function gather(x, base, n) {
    let count = 0;
    for (let i = 0; i < n; i++) {
      const value = x[base + i];
      if (value !== 0) { FOUND[count] = i; VALUE[count++] = value; }
    }
    while (count % 4) { FOUND[count] = 0; VALUE[count++] = 0; }
    return count;
  }

  function upsample(x, h, w, nIn, layer, out) {
    const { weight, bias, nOut } = layer, wide = 2 * w, tall = 2 * h;
    for (let p = 0; p < out.length; p += nOut) out.set(bias, p);
    for (let row = 0; row < h; row++)
      for (let column = 0; column < w; column++) {
        const count = gather(x, (row * w + column) * nIn, nIn);
        for (let tap = 0; tap < 9; tap++) {
          const y = 2 * row - 1 + ((tap / 3) | 0), xx = 2 * column - 1 + (tap % 3);
          if (y < 0 || y >= tall || xx < 0 || xx >= wide) continue;
          const to = (y * wide + xx) * nOut;
          for (let k = 0; k < count; k += 4) {
            const a = VALUE[k], b = VALUE[k + 1], c = VALUE[k + 2], d = VALUE[k + 3];
            const p = (FOUND[k] * 9 + tap) * nOut, q = (FOUND[k + 1] * 9 + tap) * nOut;
            const r = (FOUND[k + 2] * 9 + tap) * nOut, s = (FOUND[k + 3] * 9 + tap) * nOut;
            for (let o = 0; o < nOut; o++)
              out[to + o] += a * weight[p + o] + b * weight[q + o] + c * weight[r + o] + d * weight[s + o];
          }
        }
      }
    for (let i = 0; i < out.length; i++) if (out[i] < 0) out[i] = 0;
  }

  // weights: one Float32Array in the order project, up.0, up.1, up.2, out (each weight, then bias)
  function make(weights, dims, shape) {
    const [channels, height, width] = shape, h0 = height / 8, w0 = width / 8;
    let at = 0;
    const take = (n) => weights.subarray(at, (at += n));
    const nFlat = WIDTHS[0] * h0 * w0;
    const project = take(nFlat * dims), projectBias = take(nFlat);
    const layers = [0, 1, 2].map((k) => {
      const nIn = WIDTHS[k], nOut = WIDTHS[k + 1];
      const weight = transposedWeights(take(nIn * nOut * 9), nIn, nOut);
      return { weight, bias: take(nOut), nOut };
    });
    const outWeight = take(channels * 32 * 9), outBias = take(channels);
    if (at !== weights.length) throw new Error(`decoder: ${weights.length} weights given, ${at} expected`);
    const maps = [0, 1, 2, 3].map((k) => new Float32Array(WIDTHS[k] * h0 * w0 * 4 ** k));
    const image = new Float32Array(channels * height * width);

    return function decode(z) {
      const first = maps[0], cells = h0 * w0;
      for (let f = 0; f < nFlat; f++) {
        let sum = projectBias[f];
        for (let d = 0; d < dims; d++) sum += project[f * dims + d] * z[d];
        first[(f % cells) * WIDTHS[0] + ((f / cells) | 0)] = sum;
      }
      for (let k = 0; k < 3; k++) upsample(maps[k], h0 << k, w0 << k, WIDTHS[k], layers[k], maps[k + 1]);
      const last = maps[3];
      for (let c = 0; c < channels; c++)
        for (let y = 0; y < height; y++)
          for (let x = 0; x < width; x++) {
            let sum = outBias[c];
            for (let ky = 0; ky < 3; ky++) {
              const yy = y + ky - 1;
              if (yy < 0 || yy >= height) continue;
              for (let kx = 0; kx < 3; kx++) {
                const xx = x + kx - 1;
                if (xx < 0 || xx >= width) continue;
                const base = (yy * width + xx) * 32, from = c * 288 + ky * 3 + kx;
                for (let i = 0; i < 32; i++) sum += last[base + i] * outWeight[from + i * 9];
              }
            }
            image[(c * height + y) * width + x] = 1 / (1 + Math.exp(-sum));
          }
      return image; // (channel, height, width), reused by the next call
    };
  }

  return { make, halves, inflated, bytesOf, halfToFloat };
})();
if (typeof module !== "undefined") module.exports = Decoder;
