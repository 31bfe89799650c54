"use strict";
// What the page holds as text, as numbers again: bytes in base 64, weights deflated in base 85, both at half precision.
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
    const places = new Map([...LETTERS].map((letter, i) => [letter, i])), whole = Math.ceil(text.length / 5) * 5;
    const out = new Uint8Array((whole / 5) * 4);
    for (let i = 0, at = 0; i < whole; i += 5, at += 4) {
      let word = 0;
      for (let k = i; k < i + 5; k++) word = word * 85 + (k < text.length ? places.get(text[k]) : 84);
      out[at] = word / 16777216; out[at + 1] = word >>> 16; out[at + 2] = word >>> 8; out[at + 3] = word;
    }
    return out.subarray(0, out.length - (whole - text.length));
  }

  // Deflated bytes, all high ones before all low ones -> floats. Rejects where the browser cannot inflate.
  async function inflated(text) {
    const stream = new Blob([bytesOf85(text.trim())]).stream().pipeThrough(new DecompressionStream("deflate"));
    const bytes = new Uint8Array(await new Response(stream).arrayBuffer()), n = bytes.length >> 1;
    const out = new Float32Array(n);
    for (let i = 0; i < n; i++) out[i] = halfToFloat((bytes[i] << 8) | bytes[n + i]);
    return out;
  }

  return { halves, inflated, bytesOf, bytesOf85, halfToFloat };
})();
if (typeof module !== "undefined") module.exports = Packed;
