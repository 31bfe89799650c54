"use strict";
// node browser.js CONFIG.json: opens the report in Chromium with the network off, and prints what it saw as JSON.
const fs = require("fs");
const config = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const { chromium } = require(config.playwright);

const flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

async function open(browser, seen, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, offline: true, ...options });
  const page = await context.newPage();
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) seen.errors.push(message.text()); });
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("request", (request) => { if (!/^(data|blob):/.test(request.url())) seen.requests.push(request.url()); });
  await page.goto(config.url);
  return page;
}

async function useExplorer(page) {
  const words = () => page.textContent("#x-words");
  await page.waitForSelector("#explorer-app[data-ready]");
  const plane = page.locator(".x-arm[data-arm=vae] .x-plane");
  await plane.scrollIntoViewIfNeeded();
  const box = await plane.boundingBox(), steps = [await words()];
  const settle = () => page.waitForTimeout(120);
  await page.mouse.move(box.x + box.width * 0.6, box.y + box.height * 0.45); await settle(); steps.push(await words());
  await plane.focus();
  await page.keyboard.press("ArrowLeft"); await settle(); steps.push(await words());
  await page.mouse.move(box.x + box.width * 0.5, box.y + box.height * 0.5);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.75, box.y + box.height * 0.25, { steps: 4 });
  await page.mouse.up(); await settle();
  steps.push(await words());
  const readings = await page.locator(".x-out dl").allTextContents();
  const drawn = await page.$$eval(".x-image", (all) => all.map((canvas) => {
    const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return new Set(data.filter((_, index) => index % 4 === 0)).size;
  }));
  return { steps, readings, drawn };
}

async function sortClaims(page) {
  const first = () => page.$$eval("table.claims td.c-verdict .badge", (cells) => cells.map((cell) => cell.textContent.trim()));
  const button = page.locator("table.claims thead th:nth-child(2) button");
  const before = await first();
  await button.click();
  const up = await first();
  await button.click();
  return { before, up, down: await first() };
}

(async () => {
  const seen = { errors: [], requests: [], widths: {}, axe: {} };
  const browser = await chromium.launch({ executablePath: config.chromium, args: flags });
  const page = await open(browser, seen);
  seen.explorer = await useExplorer(page);
  seen.sorted = await sortClaims(page);
  await page.emulateMedia({ media: "print" });
  seen.print = await page.evaluate(() => ({
    app: getComputedStyle(document.getElementById("explorer-app")).display,
    stand: getComputedStyle(document.querySelector("#explorer .static-only")).display,
  }));
  for (const scheme of ["light", "dark"]) {
    for (const width of scheme === "light" ? [1280, 390] : [1280]) {
      const view = await open(browser, seen, { colorScheme: scheme, viewport: { width, height: 900 } });
      await view.waitForSelector("#explorer-app[data-ready]");
      seen.widths[width] = await view.evaluate(() => document.documentElement.scrollWidth);
      if (config.axe && width === 1280) {
        await view.evaluate(fs.readFileSync(config.axe, "utf8"));
        const result = await view.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
        seen.axe[scheme] = result.violations.filter((v) => ["serious", "critical"].includes(v.impact)).map((v) => v.id);
      }
      await view.context().close();
    }
  }
  const still = await open(browser, seen, { javaScriptEnabled: false });
  seen.still = await still.isVisible("#explorer .static-only svg");
  await browser.close();
  console.log(JSON.stringify(seen));
})();
