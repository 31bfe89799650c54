"use strict";
// One arm of the explorer: what the page holds of it, its decoder, and its elements.
const ExplorerArm = (() => {
  function read(root, data) {
    const raw = data.arms[root.dataset.arm], codes = Packed.halves(raw.codes), flat = Packed.halves(raw.quantiles);
    const level = flat.length / raw.dims, n = codes.length / raw.dims, zeros = () => new Float32Array(raw.dims);
    const arm = {
      id: root.dataset.arm, root, name: raw.name, colour: raw.colour, dims: raw.dims, order: raw.order, dims2: raw.plane, codes,
      nll: Packed.halves(raw.nll), reconstruction: raw.reconstruction, at: { z: zeros(), a: zeros(), b: zeros() }, laws: raw.laws, holeShare: raw.holeShare,
      quantiles: Array.from({ length: raw.dims }, (_, d) => flat.subarray(d * level, (d + 1) * level)),
      maps: raw.holes.map((map) => ({ ...map, bits: Packed.bytesOf(map.bits) })),
      critic: raw.critic && { ...raw.critic, cells: Packed.bytesOf(raw.critic.cells) },
      plane: root.querySelector("canvas[data-arm]"), image: root.querySelector(".x-image"), list: root.querySelector("dl"),
      original: root.querySelector(".x-original"), slot: root.querySelector(".x-sliders"), sliders: [],
      count: root.querySelector(".x-count"),
    };
    arm.points = Array.from({ length: n }, (_, i) => raw.plane.map((dim) => codes[i * raw.dims + dim]));
    arm.image.width = data.shape[2];
    arm.image.height = data.shape[1];
    return arm;
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

  async function giveSheet(arm, symbols) { // the decoded plane as one picture, read when it is first asked for
    const sheet = document.querySelector(`#${CSS.escape(symbols + arm.id)} image`);
    if (sheet) arm.sheet ||= await loaded(sheet.getAttribute("href"));
  }

  async function giveDecoder(arm, data, symbols) {
    const packed = document.querySelector(`.explorer-weights[data-arm="${CSS.escape(arm.id)}"]`);
    arm.live = packed !== null && "DecompressionStream" in window;
    if (arm.live) {
      const { layers } = data.arms[arm.id], weights = await Packed.inflated(packed.textContent, layers);
      arm.slices = Decoder.make(layers, weights, [arm.dims], data.shape).sliced;
    } else {
      await giveSheet(arm, symbols);
      const blend = lattice(arm.sheet, data.shape);
      arm.slices = (z) => () => blend(z, arm.dims2);
    }
  }

  async function giveEncoder(arm, data) { // pixels -> code, unpacked when it is first asked for; none where the page has no weights
    const packed = document.querySelector(`.explorer-encoder[data-arm="${CSS.escape(arm.id)}"]`);
    if (!packed || !arm.live) return;
    const { encoder } = data.arms[arm.id], weights = await Packed.inflated(packed.textContent, encoder);
    arm.encode = Decoder.make(encoder, weights, data.shape, [arm.dims]);
  }

  function addSliders(arm, move) {
    arm.sliders = arm.order.map((dim) => {
      const label = document.createElement("label"), input = document.createElement("input"), output = document.createElement("output");
      Object.assign(input, { type: "range", min: -3.5, max: 3.5, step: 0.05 });
      label.append(`z${dim} `, input, output);
      input.addEventListener("input", () => { const z = arm.at.z.slice(); z[dim] = Number(input.value); move(z); });
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

  return { read, giveDecoder, giveSheet, giveEncoder, loaded, addSliders, addStrip };
})();
