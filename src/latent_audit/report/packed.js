"use strict";
// What the page holds as text, as numbers again: halves in base 64, weights deflated in base 85.
const Packed = (() => {
  // RFC 1924's letters, but for < > &, which HTML reads: . , : stand for them.
  const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%:()*+-;.=,?@^_`{|}~";

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

  // Five letters for four bytes; the last letters stand for as many bytes as they are, less one.
  function bytesOf85(text) {
    const places = new Uint8Array(128), whole = Math.ceil(text.length / 5) * 5;
    const out = new Uint8Array((whole / 5) * 4);
    for (let i = 0; i < LETTERS.length; i++) places[LETTERS.charCodeAt(i)] = i;
    for (let i = 0, at = 0; i < whole; i += 5, at += 4) {
      let word = 0;
      for (let k = i; k < i + 5; k++) word = word * 85 + (k < text.length ? places[text.charCodeAt(k)] : 84);
      out[at] = word / 16777216; out[at + 1] = word >>> 16; out[at + 2] = word >>> 8; out[at + 3] = word;
    }
    return out.subarray(0, out.length - (whole - text.length));
  }

  // Deflated bytes -> the weights of all layers, in their order: those with a step as whole numbers of it, high bytes
  // before low ones, then the others at half precision likewise. Rejects where the browser cannot inflate.
  async function inflated(text, layers) {
    const stream = new Blob([bytesOf85(text.trim())]).stream().pipeThrough(new DecompressionStream("deflate"));
    const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
    const arrays = layers.flatMap((layer) => layer.weights.map(([, shape, step]) => ({ n: shape.reduce((a, b) => a * b, 1), step })));
    const total = (kind) => arrays.filter(kind).reduce((sum, { n }) => sum + n, 0), whole = total(({ step }) => step), half = total(({ step }) => !step);
    if (bytes.length !== 2 * (whole + half)) throw new Error(`weights: ${bytes.length} bytes for ${whole + half} numbers`);
    const out = new Float32Array(whole + half);
    let at = 0, w = 0, h = 2 * whole;
    for (const { n, step } of arrays)
      for (const end = at + n; at < end; at++) {
        if (step) { out[at] = step * (((bytes[w] << 24) >> 16) + bytes[whole + w] - 128); w++; }
        else { out[at] = halfToFloat((bytes[h] << 8) | bytes[half + h]); h++; }
      }
    return out;
  }

  return { halves, inflated, bytesOf, bytesOf85, halfToFloat };
})();
if (typeof module !== "undefined") module.exports = Packed;
