"use strict";
// node look.js CONFIG.json: opens pages in Chromium with the network off, light and dark, wide and narrow; JSON out.
const fs = require("fs");
const config = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const { chromium } = require(config.playwright);

const flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

async function look(browser, url, colorScheme, width) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, offline: true });
  const page = await context.newPage(), seen = { url, colorScheme, width, errors: [], requests: [], violations: [] };
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) seen.errors.push(message.text()); });
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("request", (request) => { if (!/^(data|blob):/.test(request.url())) seen.requests.push(request.url()); });
  await page.goto(url);
  await page.waitForTimeout(200);
  seen.scrollWidth = await page.evaluate(() => document.documentElement.scrollWidth);
  seen.unnamed = await page.$$eval("img:not([alt]), svg[role=img]:not([aria-label]):not([aria-labelledby])", (all) => all.length);
  if (config.axe) {
    await page.evaluate(fs.readFileSync(config.axe, "utf8"));
    const result = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
    const grave = result.violations.filter((v) => ["serious", "critical"].includes(v.impact));
    seen.violations = grave.map((v) => `${v.id}: ${v.nodes[0].html.slice(0, 200)}`);
  }
  await context.close();
  return seen;
}

(async () => {
  const browser = await chromium.launch({ executablePath: config.chromium, args: flags });
  const views = [];
  for (const url of config.urls) {
    for (const [scheme, width] of [["light", 1280], ["light", 768], ["light", 390], ["dark", 1280]]) {
      views.push(await look(browser, url, scheme, width));
    }
  }
  await browser.close();
  console.log(JSON.stringify(views));
})();
