"use strict";
// Any decoder or encoder of the study in plain JavaScript: an interpreter of the list of layers that was exported with it.
// Maps lie as height x width x channel inside, so that the innermost loops run over neighbours in memory; a reshape
// reorders, since vectors are in PyTorch's order. Convolutions to many channels skip inputs that ReLU set to zero.
const Decoder = (() => {
  const FEW = 8; // channels: with fewer to write, a sum per output is faster than a row of outputs per input

  // Shapes are [n], or [channels, height, width].
  const count = (shape) => shape.reduce((product, side) => product * side, 1);
  const channelsOf = (shape) => shape[0];
  function check(fine, words) { if (!fine) throw new Error(`decoder: ${words}`); }

  // (channel, height, width) -> (height, width, channel), or back
  function reorder(x, [channels, height, width], inwards, out) {
    const cells = height * width;
    for (let c = 0; c < channels; c++) for (let i = 0; i < cells; i++)
      if (inwards) out[i * channels + c] = x[c * cells + i]; else out[c * cells + i] = x[i * channels + c];
    return out;
  }

  // ---- layers: (shape of the input, settings, weights, their shapes) -> { shape, run(x) } -----------------------------
  function linear(shape, settings, { weight, bias }, shapes) {
    const [nOut, nIn] = shapes.weight, out = new Float32Array(nOut);
    check(shape.length === 1 && shape[0] === nIn, `linear takes ${nIn} numbers and gets [${shape}]`);
    return { shape: [nOut], run(x) {
      for (let o = 0; o < nOut; o++) {
        let sum = bias ? bias[o] : 0;
        for (let i = 0, at = o * nIn; i < nIn; i++) sum += weight[at + i] * x[i];
        out[o] = sum;
      }
      return out;
    } };
  }

  function reshape(shape, settings) {
    const to = settings.shape, n = count(shape), flat = new Float32Array(n), out = new Float32Array(n);
    check(count(to) === n, `[${shape}] cannot become [${to}]`);
    return { shape: to, run(x) {
      const vector = shape.length === 3 ? reorder(x, shape, false, flat) : x;
      return to.length === 3 ? reorder(vector, to, true, out) : vector;
    } };
  }

  function affine(shape, settings, { scale, shift }) {
    const channels = channelsOf(shape), n = count(shape);
    check(scale.length === channels, `affine of ${scale.length} channels gets [${shape}]`);
    return { shape, run(x) {
      for (let p = 0; p < n; p += channels) for (let c = 0; c < channels; c++) x[p + c] = x[p + c] * scale[c] + shift[c];
      return x;
    } };
  }

  const FUNCTIONS = {
    relu: () => (x) => { for (let i = 0; i < x.length; i++) if (x[i] < 0) x[i] = 0; return x; },
    leaky_relu: (slope) => (x) => { for (let i = 0; i < x.length; i++) if (x[i] < 0) x[i] *= slope; return x; },
    elu: (slope) => (x) => { for (let i = 0; i < x.length; i++) if (x[i] < 0) x[i] = slope * Math.expm1(x[i]); return x; },
    tanh: () => (x) => { for (let i = 0; i < x.length; i++) x[i] = Math.tanh(x[i]); return x; },
    sigmoid: () => (x) => { for (let i = 0; i < x.length; i++) x[i] = 1 / (1 + Math.exp(-x[i])); return x; },
  };

  function activation(shape, { function: name, slope }) {
    check(name in FUNCTIONS, `there is no activation ${name}`);
    return { shape, run: FUNCTIONS[name](slope) };
  }

  // Copies the part that two windows share: `from` begins at (top, left) of the input, `to` at (down, right) of the output.
  function windowed(shape, { height, width }, [top, left], [down, right]) {
    const [channels, h, w] = shape, out = new Float32Array(channels * height * width);
    const rows = Math.min(h - top, height - down), run = Math.min(w - left, width - right) * channels;
    check(shape.length === 3 && rows > 0 && run > 0, `no ${height} x ${width} of [${shape}]`);
    return { shape: [channels, height, width], run(x) {
      out.fill(0); // a layer after this one may have written here
      for (let row = 0; row < rows; row++) {
        const from = ((top + row) * w + left) * channels;
        out.set(x.subarray(from, from + run), ((down + row) * width + right) * channels);
      }
      return out;
    } };
  }

  const pad = (shape, settings) => windowed(shape, settings, [0, 0], [settings.top, settings.left]);
  const crop = (shape, settings) => windowed(shape, settings, [settings.top, settings.left], [0, 0]);

  function embed(shape, settings, { table }, shapes) {
    const [entries, dim] = shapes.table, n = count(shape), out = new Float32Array(n * dim);
    check(shape.length === 1, `embed takes a vector and gets [${shape}]`);
    const row = (v) => Math.min(Math.max(Math.round(v), 0), entries - 1) * dim;
    return { shape: [n * dim], run(x) {
      for (let i = 0; i < n; i++) out.set(table.subarray(row(x[i]), row(x[i]) + dim), i * dim);
      return out;
    } };
  }

  // Convolutions: both kinds join place i to place j by tap k; only the rule for (i, k) -> j differs.
  // Per place of one axis: the taps and the places that they join it to. scattered: j = i * stride - padding + k.
  function joins(nFrom, nTo, taps, stride, padding, scattered) {
    const found = [], start = new Int32Array(nFrom + 1);
    for (let i = 0; i < nFrom; i++) {
      for (let k = 0; k < taps; k++) {
        const j = scattered ? i * stride - padding + k : (i + padding - k) / stride;
        if (Number.isInteger(j) && j >= 0 && j < nTo) found.push(k, j);
      }
      start[i + 1] = found.length;
    }
    return { start, found: Int32Array.from(found) };
  }

  // PyTorch (a, b, tap) -> (a, tap, b), or (b, tap, a); in double precision, in which JavaScript works it out anyhow
  function innermost(weight, a, b, taps, second) {
    const out = new Float64Array(weight.length);
    for (let i = 0; i < a; i++) for (let j = 0; j < b; j++) for (let k = 0; k < taps; k++)
      out[second ? (i * taps + k) * b + j : (j * taps + k) * a + i] = weight[(i * b + j) * taps + k];
    return out;
  }

  function convolution(shape, settings, { weight, bias }, shapes, transposed) {
    const [a, b, tall, wide] = shapes.weight, [nIn, nOut] = transposed ? [a, b] : [b, a], taps = tall * wide;
    check(shape.length === 3 && shape[0] === nIn, `a convolution takes ${nIn} channels and gets [${shape}]`);
    const sides = [0, 1].map((axis) => {
      const side = shape[axis + 1], kernel = [tall, wide][axis], stride = settings.stride[axis], padding = settings.padding[axis];
      if (transposed) return (side - 1) * stride - 2 * padding + kernel + settings.output_padding[axis];
      return Math.floor((side + 2 * padding - kernel) / stride) + 1;
    });
    const few = nOut < FEW, out = new Float64Array(nOut * count(sides));
    const [rows, columns] = [0, 1].map((axis) => {
      const ends = [shape[axis + 1], sides[axis]], [from, to] = few ? ends.reverse() : ends;
      return joins(from, to, [tall, wide][axis], settings.stride[axis], settings.padding[axis], transposed !== few);
    });
    const plan = { weight: innermost(weight, a, b, taps, transposed !== few), rows, columns, nIn, nOut, taps, wide, out };
    Object.assign(plan, { bias: bias || new Float32Array(nOut), input: shape.slice(1), output: sides });
    return { shape: [nOut, ...sides], run: few ? (x) => gathered(x, plan) : (x) => spread(x, plan) };
  }

  // One sum per output; weights (out, tap, in).
  function gathered(x, { weight, bias, rows, columns, input, output, nIn, nOut, taps, wide, out }) {
    const whole = nIn - (nIn % 4);
    for (let row = 0, at = 0; row < output[0]; row++) for (let column = 0; column < output[1]; column++)
      for (let o = 0; o < nOut; o++, at++) {
          let one = bias[o], two = 0, three = 0, four = 0;
          for (let r = rows.start[row]; r < rows.start[row + 1]; r += 2)
            for (let c = columns.start[column]; c < columns.start[column + 1]; c += 2) {
              const p = (rows.found[r + 1] * input[1] + columns.found[c + 1]) * nIn;
              const q = (o * taps + rows.found[r] * wide + columns.found[c]) * nIn;
              for (let i = 0; i < whole; i += 4) {
                one += x[p + i] * weight[q + i]; two += x[p + i + 1] * weight[q + i + 1];
                three += x[p + i + 2] * weight[q + i + 2]; four += x[p + i + 3] * weight[q + i + 3];
              }
              for (let i = whole; i < nIn; i++) one += x[p + i] * weight[q + i];
            }
          out[at] = one + two + three + four;
        }
    return out;
  }

  let found = { at: new Int32Array(0), value: new Float64Array(0) }; // as long as the most channels need; see make

  // Inputs that are not zero, with their places, filled up to a multiple of eight; returns how many.
  function present(x, base, n, { at, value }) {
    let number = 0;
    for (let i = 0; i < n; i++) if (x[base + i] !== 0) { at[number] = i; value[number++] = x[base + i]; }
    while (number % 8) { at[number] = 0; value[number++] = 0; }
    return number;
  }

  // A row of outputs per eight inputs; weights (in, tap, out).
  function spread(x, { weight, bias, rows, columns, input, output, nIn, nOut, taps, wide, out }) {
    const { at, value } = found;
    for (let p = 0; p < out.length; p += nOut) out.set(bias, p);
    for (let row = 0; row < input[0]; row++)
      for (let column = 0; column < input[1]; column++) {
        const number = present(x, (row * input[1] + column) * nIn, nIn, found);
        for (let r = rows.start[row]; r < rows.start[row + 1]; r += 2)
          for (let t = columns.start[column]; t < columns.start[column + 1]; t += 2) {
            const tap = rows.found[r] * wide + columns.found[t];
            const to = (rows.found[r + 1] * output[1] + columns.found[t + 1]) * nOut;
            for (let k = 0; k < number; k += 8) {
              const a = value[k], b = value[k + 1], c = value[k + 2], d = value[k + 3];
              const e = value[k + 4], f = value[k + 5], g = value[k + 6], h = value[k + 7];
              const pa = (at[k] * taps + tap) * nOut, pb = (at[k + 1] * taps + tap) * nOut;
              const pc = (at[k + 2] * taps + tap) * nOut, pd = (at[k + 3] * taps + tap) * nOut;
              const pe = (at[k + 4] * taps + tap) * nOut, pf = (at[k + 5] * taps + tap) * nOut;
              const pg = (at[k + 6] * taps + tap) * nOut, ph = (at[k + 7] * taps + tap) * nOut;
              for (let o = 0; o < nOut; o++)
                out[to + o] += a * weight[pa + o] + b * weight[pb + o] + c * weight[pc + o] + d * weight[pd + o]
                  + e * weight[pe + o] + f * weight[pf + o] + g * weight[pg + o] + h * weight[ph + o];
            }
          }
      }
    return out;
  }

  const KINDS = {
    linear, reshape, affine, activation, pad, crop, embed,
    conv: (...given) => convolution(...given, false),
    conv_transpose: (...given) => convolution(...given, true),
  };

  // layers: [{ kind, settings, weights: [[name, shape, step?], ...] }, ...]; numbers: the weights of all, one after the other.
  // from, to: the shapes of what is given and returned, [n] or [channels, height, width]; maps are (channel, height, width).
  function make(layers, numbers, from, to) {
    const expected = layers.reduce((sum, layer) => sum + layer.weights.reduce((n, [, sides]) => n + count(sides), 0), 0);
    check(numbers.length === expected, `${numbers.length} weights given, ${expected} expected`);
    let at = 0, now = from;
    const steps = layers.map(({ kind, settings, weights }) => {
      check(kind in KINDS, `there is no layer ${kind}`);
      const arrays = {}, shapes = Object.fromEntries(weights);
      for (const [name, sides] of weights) arrays[name] = numbers.subarray(at, (at += count(sides)));
      if (now[0] + 7 > found.at.length) found = { at: new Int32Array(now[0] + 7), value: new Float64Array(now[0] + 7) };
      const step = KINDS[kind](now, settings, arrays, shapes);
      now = step.shape;
      return step.run;
    });
    check(count(now) === count(to), `the layers end in [${now}], and [${to}] is wanted`);
    const given = new Float32Array(count(from)), inner = new Float32Array(count(from)), result = new Float32Array(count(to)), end = now;

    // One layer per call, null until the last of them; another run may only begin thereafter.
    function sliced(values) {
      given.set(values);
      let x = from.length === 3 ? reorder(given, from, true, inner) : given, k = 0;
      return () => {
        if (k < steps.length) x = steps[k++](x);
        if (k < steps.length) return null;
        return end.length === 3 ? reorder(x, end, false, result) : x;
      };
    }

    function run(values) { // the result is used again by the next call
      const step = sliced(values);
      for (;;) { const found = step(); if (found) return found; }
    }
    return Object.assign(run, { sliced });
  }

  return { make };
})();
if (typeof module !== "undefined") module.exports = Decoder;
