"use strict";
// node browser.js CONFIG.json: opens the report in Chromium with the network off, uses it, and prints what it saw as JSON.
const fs = require("fs");
const config = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const { chromium } = require(config.playwright);

const flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const PHONE = { width: 390, height: 844 };

async function open(browser, seen, options = {}, hash = "") {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, offline: true, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(120000);
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) seen.errors.push(message.text()); });
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("request", (request) => { if (!/^(data|blob):/.test(request.url())) seen.requests.push(request.url().split("#")[0]); });
  await page.goto(config.url + hash, { timeout: 120000 });
  if (options.javaScriptEnabled !== false) await page.waitForSelector("#explorer-app[data-ready]");
  return page;
}

const state = (page) => page.evaluate(() => window.latentAudit.state());
const words = (page) => page.textContent("#x-words");
const frames = (page) => page.evaluate(() => new Promise((done) => { // two, and until nothing waits to be decoded
  const look = () => (window.latentAudit.state().waiting ? requestAnimationFrame(look) : done());
  requestAnimationFrame(() => requestAnimationFrame(look));
}));
const act = async (page, action) => { await page.click(`[data-action="${action}"]`); await frames(page); };

const greysOf = (page) => page.$$eval(".x-image, .x-strips canvas", (all) => all.map((canvas) => { // how many levels each picture has
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  return new Set(data.filter((_, index) => index % 4 === 0)).size;
}));

async function planeOf(page, arm) {
  const plane = page.locator(`canvas[data-arm="${arm}"]`);
  await plane.scrollIntoViewIfNeeded();
  const box = await plane.boundingBox();
  return { plane, box, at: (x, y) => [box.x + box.width * x, box.y + box.height * y] };
}

async function drag(page, [x, y], [to, down]) {
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(to, down, { steps: 4 });
  await page.mouse.up();
  await frames(page);
}

// ---- a mouse: hovering previews, a click pins, a drag moves the point or an end of the path -----------------------------
async function useMouse(page) {
  await frames(page);
  const greeting = { words: await words(page), greys: await greysOf(page) };
  const first = await state(page), inside = await page.evaluate(() => {
    const data = JSON.parse(document.getElementById("explorer-data").textContent), { views } = window.latentAudit.state(), found = {};
    for (const [arm, raw] of Object.entries(data.arms)) {
      const codes = Packed.halves(raw.codes), view = views[arm], n = codes.length / raw.dims;
      const fits = (i) => Math.abs(codes[2 * i] - view.x) <= view.s && Math.abs(codes[2 * i + 1] - view.y) <= view.s;
      found[arm] = { share: Array.from({ length: n }, (_, i) => fits(i)).filter(Boolean).length / n, prior: Math.abs(view.x) + 3 <= view.s + 1e-6 };
    }
    return found;
  });
  let { at, plane } = await planeOf(page, "vae");
  await page.mouse.move(...at(0.1, 0.1));
  let hovered = "";
  for (let k = 0; k < 30 && !hovered.startsWith("Preview"); k++) { // over the plane until a code is near
    await page.mouse.move(...at(0.3 + 0.014 * k, 0.4 + 0.007 * k)); await frames(page);
    hovered = await words(page);
  }
  const whileHovering = await state(page);
  const button = await page.locator('[data-action="set-b"]').boundingBox(); // the way there crosses the planes
  await page.mouse.move(button.x + 4, button.y + 4, { steps: 12 });
  await act(page, "set-b");
  const afterButton = await state(page);
  await plane.focus();
  await page.keyboard.press("ArrowLeft"); await frames(page);
  const arrow = await state(page);
  await act(page, "prior"); // from here on the planes show [-3.5, 3.5]^2
  ({ at } = await planeOf(page, "vae"));
  await drag(page, at(0.05, 0.95), at(0.75, 0.25)); // from where no mark is
  const dragged = await state(page), said = await words(page);
  const drawn = await greysOf(page);
  await page.keyboard.down("Alt");
  await page.mouse.move(...at(0.02, 0.02));
  await page.mouse.down();
  for (const [x, y] of [[0.98, 0.02], [0.98, 0.98], [0.02, 0.98]]) await page.mouse.move(...at(x, y));
  await page.mouse.up();
  await page.keyboard.up("Alt");
  const lasso = await page.textContent(".x-lasso p"), sameAfterLasso = await state(page);
  await act(page, "set-a");
  ({ at } = await planeOf(page, "vae"));
  await drag(page, at(0.75, 0.25), at(0.2, 0.8)); // the point lies on A: the point goes first
  await drag(page, at(0.75, 0.25), at(0.6, 0.6));
  const ends = await state(page);
  await plane.focus();
  for (let k = 0; k < 50; k++) await page.keyboard.press("Shift+ArrowLeft");
  await frames(page);
  const outside = await state(page), outsidePlace = await page.textContent('.x-arm[data-arm="vae"] dl');
  return { greeting, first, inside, hovered, whileHovering, afterButton, arrow, dragged, said, drawn, ends, outside, outsidePlace, lasso, sameAfterLasso };
}

// ---- fingers on a phone: tabs, a drag that decodes and does not scroll, picture and plane on one screen -----------------------
async function useTouch(page) {
  await page.click('[data-action="tab"][data-arm="vae"]');
  const shown = await page.$$eval(".x-arm", (all) => all.filter((arm) => getComputedStyle(arm).display !== "none").map((arm) => arm.dataset.arm));
  await page.locator('.x-arm[data-arm="vae"]').evaluate((arm) => arm.scrollIntoView({ block: "start", behavior: "instant" }));
  const box = await page.locator('canvas[data-arm="vae"]').boundingBox(), picture = await page.locator('.x-arm[data-arm="vae"] .x-image').boundingBox();
  const original = await page.locator('.x-arm[data-arm="vae"] .x-original').boundingBox();
  const client = await page.context().newCDPSession(page);
  const touch = (type, x, y) => client.send("Input.dispatchTouchEvent", { type, touchPoints: type === "touchEnd" ? [] : [{ x, y }] });
  const [x, y] = [box.x + box.width / 2, box.y + box.height * 0.7];
  await touch("touchStart", x, y);
  for (let k = 1; k <= 6; k++) await touch("touchMove", x + 8 * k, y - 20 * k);
  await touch("touchEnd");
  await frames(page);
  const after = await page.locator('canvas[data-arm="vae"]').boundingBox(); // where the words above grow shorter, the page keeps it in place
  return { shown, box, picture, original, scrolled: Math.round(after.y - box.y), state: await state(page) };
}

// ---- the tour, the rain, links ---------------------------------------------------------------------------------------------
async function useTools(page) {
  const tour = [];
  for (let k = 1; k <= 4; k++) {
    await act(page, `tour-${k}`);
    await page.waitForFunction(() => !document.querySelector("[data-action=play]").disabled);
    await frames(page);
    tour.push({ button: await page.textContent(`[data-action="tour-${k}"]`), said: await page.textContent("#x-tour-words"),
      place: await page.textContent('.x-arm[data-arm="ae"] dl'), state: await state(page) });
  }
  await act(page, "rain");
  await page.waitForFunction(() => document.querySelector(".x-count").textContent.includes("of 200"));
  const counts = await page.$$eval(".x-count", (all) => all.map((one) => one.textContent));
  await page.fill("#x-index", "7");
  await act(page, "goto");
  const found = await state(page);
  await act(page, "link");
  const hash = await page.evaluate(() => location.hash);
  await page.locator('canvas[data-arm="vae"]').focus();
  await page.keyboard.press("Shift+ArrowUp"); await frames(page); // from an image to a free point
  await act(page, "link");
  const free = await state(page), freeHash = await page.evaluate(() => location.hash);
  await page.fill("#x-index", "100000");
  await act(page, "goto");
  return { tour, counts, found, hash, free, freeHash, notFound: await page.textContent("#x-said") };
}

// ---- a drawing of one's own: by pointer, from an image, from files, by keys; then gone ---------------------------------------
async function useOwn(page) {
  const pad = page.locator('[data-action="draw-own"]'), seen = {};
  const results = () => page.$$eval(".x-own-arm", (all) => Object.fromEntries(all.map((one) => [one.dataset.arm, one.textContent])));
  const levels = () => pad.evaluate((canvas) => { const copy = new OffscreenCanvas(28, 28).getContext("2d"); copy.drawImage(canvas, 0, 0); const { data } = copy.getImageData(0, 0, 28, 28); return Array.from({ length: 784 }, (_, i) => data[4 * i]); });
  const settled = async () => { await page.waitForFunction(() => document.querySelector(".x-drawn") && latentAudit.state().picked.ae); await frames(page); };
  seen.before = await state(page);
  seen.hidden = await page.locator(".x-own-arms").isHidden();
  await pad.scrollIntoViewIfNeeded();
  const box = await pad.boundingBox();
  await drag(page, [box.x + box.width * 0.2, box.y + box.height * 0.5], [box.x + box.width * 0.8, box.y + box.height * 0.5]);
  await settled();
  Object.assign(seen, { drawn: await levels(), state: await state(page), said: await words(page), alike: await page.textContent(".x-own-alike"), results: await results() });
  seen.places = Object.fromEntries(await page.$$eval(".x-arm", (all) => all.map((one) => [one.dataset.arm, one.querySelector("dl").textContent])));
  seen.caption = await page.textContent(".x-of-original");
  await act(page, "copy-own"); // no image is picked now
  seen.refused = await page.textContent(".x-own-said");
  await page.setInputFiles('[data-action="file-own"]', { name: "words.png", mimeType: "image/png", buffer: Buffer.from("no picture") });
  await page.waitForFunction(() => document.querySelector(".x-own-said").textContent.includes("words.png"));
  const white = await page.evaluate(() => { // a black bar on a white page
    const canvas = document.createElement("canvas"), context = canvas.getContext("2d");
    [canvas.width, canvas.height] = [300, 200];
    context.fillStyle = "#fff"; context.fillRect(0, 0, 300, 200); context.fillStyle = "#000"; context.fillRect(100, 90, 120, 30);
    return canvas.toDataURL("image/png").split(",")[1];
  });
  await page.setInputFiles('[data-action="file-own"]', { name: "bar.png", mimeType: "image/png", buffer: Buffer.from(white, "base64") });
  await page.waitForFunction(() => document.querySelector(".x-own-said").textContent === "");
  await frames(page); await frames(page);
  seen.bar = await levels();
  await act(page, "clear-own");
  Object.assign(seen, { cleared: await levels(), after: await state(page), gone: await page.locator(".x-drawn").count() });
  await pad.evaluate((canvas, base64) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], "bar.png", { type: "image/png" }));
    canvas.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }, white);
  await settled();
  seen.dropped = await levels();
  await page.fill("#x-index", "7");
  await act(page, "goto");
  await act(page, "copy-own");
  await settled();
  seen.copy = await levels();
  await act(page, "clear-own");
  await pad.focus();
  for (const key of ["Space", "ArrowLeft", "ArrowLeft", "ArrowLeft", "Shift+ArrowUp"]) await page.keyboard.press(key);
  await settled();
  await page.keyboard.press("Tab");
  seen.keys = await levels();
  return seen;
}

// ---- the claims: sorted, filtered, put back, saved ------------------------------------------------------------------------
async function useClaims(page) {
  const order = () => page.$$eval("table.claims tr[data-verdict]", (rows) => rows.filter((row) => row.getClientRects().length).map((row) => row.id));
  const sort = (column) => page.click(`table.claims thead th:nth-child(${column}) button`);
  const seen = { before: await order() };
  await sort(3); seen.effect = await order();
  await sort(1); seen.verdict = await order();
  await page.click('[data-action="filter"][data-verdict="supported"]'); seen.withoutSupported = await order();
  await page.click('[data-action="filter"][data-arm="vae"]'); seen.withoutVae = await order();
  await page.click('[data-action="reset"]'); seen.reset = await order();
  const wait = page.waitForEvent("download");
  await page.locator("#verdicts .csv").click();
  seen.csv = fs.readFileSync(await (await wait).path(), "utf8");
  return seen;
}

// ---- how it looks -------------------------------------------------------------------------------------------------------------
const smallest = (page) => page.evaluate(() => Math.min(...[...document.querySelectorAll("main svg text")].filter((text) => text.getClientRects().length).map((text) => {
  const matrix = text.getScreenCTM(), size = parseFloat(getComputedStyle(text).fontSize);
  return size * Math.hypot(matrix.a, matrix.b);
})));

async function look(browser, seen, scheme, viewport) {
  const page = await open(browser, seen, { colorScheme: scheme, viewport });
  const key = `${scheme} ${viewport.width}`, view = {};
  view.width = await page.evaluate(() => document.documentElement.scrollWidth);
  view.text = await smallest(page);
  view.opening = await page.locator(".opening").evaluate((node) => node.getBoundingClientRect().bottom + scrollY);
  await page.evaluate(() => document.getElementById("normality").scrollIntoView({ behavior: "instant" }));
  await page.waitForTimeout(150);
  view.contents = await page.evaluate(() => ({ top: document.getElementById("contents").getBoundingClientRect().top, now: [...document.querySelectorAll("#contents [aria-current]")].map((a) => a.hash) }));
  await page.evaluate(() => scrollTo({ top: 0, behavior: "instant" }));
  await page.waitForTimeout(150);
  view.atTop = await page.$$eval("#contents [aria-current]", (all) => all.map((a) => a.hash));
  if (config.axe && viewport.width !== 768) {
    await page.evaluate(fs.readFileSync(config.axe, "utf8"));
    const result = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
    view.axe = result.violations.filter((v) => ["serious", "critical"].includes(v.impact)).map((v) => `${v.id}: ${v.nodes[0].html.slice(0, 160)}`);
  }
  seen.views[key] = view;
  await page.context().close();
}

async function print(page) {
  await page.emulateMedia({ media: "print" });
  return page.evaluate(() => {
    const style = (selector) => getComputedStyle(document.querySelector(selector));
    const closed = document.querySelector("details.numbers:not([open]) table");
    return { app: style("#explorer-app").display, stand: style("#explorer .static-only").display, adjust: style(".key i").printColorAdjust,
      key: style(".key").display, closed: closed.getBoundingClientRect().height > 0, rows: style(".claims tbody").breakInside };
  });
}

(async () => {
  const seen = { errors: [], requests: [], views: {} };
  const browser = await chromium.launch({ executablePath: config.chromium, args: flags, timeout: 120000 });
  const page = await open(browser, seen, { acceptDownloads: true });
  seen.mouse = await useMouse(page);
  seen.claims = await useClaims(page);
  await page.locator("svg.lattice").first().hover();
  seen.lens = await page.$$eval(".lens", (all) => all.filter((lens) => !lens.hidden).map((lens) => lens.getBoundingClientRect().width));
  seen.tips = await page.$$eval("#answer dfn.term", (all) => all.map((dfn) => [dfn.textContent, dfn.dataset.tip]));
  seen.print = await print(page);
  await page.context().close();
  const tools = await open(browser, seen);
  seen.tools = await useTools(tools);
  await tools.context().close();
  const own = await open(browser, seen);
  seen.own = await useOwn(own);
  await own.context().close();
  const linked = await open(browser, seen, {}, seen.tools.hash);
  seen.linked = await state(linked);
  const free = await open(browser, seen, {}, seen.tools.freeHash.replace("&b", "&z.ae=1,nonsense&b")); // the first of a name counts
  seen.linkedFree = await state(free);
  await free.context().close();
  await linked.context().close();
  const phone = await open(browser, seen, { viewport: PHONE, hasTouch: true, isMobile: true });
  seen.touch = await useTouch(phone);
  await phone.context().close();
  for (const [scheme, viewport] of [["light", { width: 1440, height: 900 }], ["light", { width: 768, height: 1024 }], ["light", PHONE], ["dark", { width: 1440, height: 900 }]])
    await look(browser, seen, scheme, viewport);
  const still = await open(browser, seen, { javaScriptEnabled: false });
  seen.still = await still.isVisible("#explorer .static-only svg");
  await browser.close();
  console.log(JSON.stringify(seen));
})();
