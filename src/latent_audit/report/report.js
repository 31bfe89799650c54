"use strict";
// Tables that sort, filter and can be saved; the section in sight; tiles enlarged; paper. The page reads without it.
const Report = (() => {
  function keyOf(cell) {
    const raw = cell.dataset.sort;
    return raw === undefined ? cell.textContent.trim().toLowerCase() : parseFloat(raw);
  }

  function compare(a, b) {
    const numbers = typeof a === "number" && typeof b === "number";
    if (numbers) return a - b;
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1; // missing numbers last
    return a.localeCompare(b, "en", { numeric: true });
  }

  const grouped = (table) => table.tBodies.length > 1; // a body per claim: they move whole, by their first row in sight
  const members = (table) => [...(grouped(table) ? table.tBodies : table.tBodies[0].rows)];
  const rowOf = (node) => (node.rows ? [...node.rows].find((row) => !row.matches(".claim-row") && !row.hidden) || node.rows[node.rows.length - 1] : node);

  function sortBy(table, column, header) {
    const descending = header.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const entries = members(table).map((node, index) => {
      const { cells } = rowOf(node);
      return { node, index, key: keyOf(cells[Math.min(column, cells.length - 1)]) };
    });
    entries.sort((a, b) => (descending ? -1 : 1) * compare(a.key, b.key) || a.index - b.index);
    (grouped(table) ? table : table.tBodies[0]).append(...entries.map((entry) => entry.node));
  }

  function makeSortable(table) {
    members(table).forEach((node, index) => { node.dataset.place = index; });
    [...table.tHead.rows[0].cells].forEach((header, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...header.childNodes);
      button.addEventListener("click", () => sortBy(table, column, header));
      header.append(button);
    });
  }

  // ---- the claims: chips hide verdicts and arms, and one button takes it all back ---------------------------------------
  function makeFilters(bar) {
    const table = bar.parentElement.querySelector("table"), chips = [...bar.querySelectorAll("[data-action=filter]")];
    const off = (key) => chips.filter((chip) => chip.dataset[key] && chip.getAttribute("aria-pressed") === "false").map((chip) => chip.dataset[key]);
    const apply = () => {
      const verdicts = off("verdict"), arms = off("arm");
      for (const row of table.querySelectorAll("tr[data-verdict]"))
        row.hidden = verdicts.includes(row.dataset.verdict) || row.dataset.arms.split(" ").some((arm) => arms.includes(arm));
      for (const body of table.tBodies) body.hidden = ![...body.querySelectorAll("tr[data-verdict]")].some((row) => !row.hidden);
    };
    bar.addEventListener("click", (event) => {
      const chip = event.target.closest("[data-action]");
      if (!chip) return;
      if (chip.dataset.action === "filter") chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") === "false"));
      else {
        for (const one of chips) one.setAttribute("aria-pressed", "true");
        for (const header of table.tHead.rows[0].cells) header.removeAttribute("aria-sort");
        table.append(...[...table.tBodies].sort((a, b) => a.dataset.place - b.dataset.place));
      }
      apply();
    });
  }

  // ---- tables as files --------------------------------------------------------------------------------------------------
  function csvOf(table) {
    const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    const text = (cell) => quoted(cell.dataset.sort && !cell.querySelector("svg") ? cell.dataset.sort : (cell.querySelector("svg")?.getAttribute("aria-label") || cell.textContent).replace(/\s+/g, " ").trim());
    let claim = "";
    return [...table.rows].flatMap((row) => {
      if (row.matches(".claim-row")) { claim = quoted(row.querySelector(".claim").textContent); return []; }
      const head = row.parentElement === table.tHead, cells = [...row.cells].map(text);
      return [(table.matches(".claims") ? [head ? "claim" : claim, ...cells] : cells).join(",")];
    }).join("\n");
  }

  function addSaving(table) {
    const button = document.createElement("button"), place = table.closest(".table-scroll") || table;
    button.type = "button"; button.className = "csv"; button.textContent = "Save as CSV";
    button.addEventListener("click", () => {
      const link = document.createElement("a");
      link.href = `data:text/csv;charset=utf-8,${encodeURIComponent(csvOf(table))}`;
      link.download = `${(table.closest("[id]")?.id || "table").replace(/[^a-z0-9-]+/gi, "-")}.csv`;
      link.click();
    });
    place.before(button);
  }

  // ---- where the reader is ----------------------------------------------------------------------------------------------
  function markCurrent() {
    const links = [...document.querySelectorAll("#contents a")], sections = links.map((a) => document.getElementById(a.hash.slice(1)));
    let queued = false;
    const mark = () => {
      queued = false;
      const line = innerHeight * 0.3, ended = scrollY > 0 && scrollY + innerHeight >= document.documentElement.scrollHeight - 2;
      const now = ended ? sections.length - 1 : sections.reduce((found, section, i) => (section && section.getBoundingClientRect().top <= line ? i : found), -1);
      links.forEach((link, i) => {
        if (i !== now) link.removeAttribute("aria-current");
        else if (!link.hasAttribute("aria-current")) {
          link.setAttribute("aria-current", "true");
          const bar = document.getElementById("contents");
          if (bar.scrollWidth > bar.clientWidth) bar.scrollLeft = link.offsetLeft - bar.clientWidth / 3;
        }
      });
    };
    addEventListener("scroll", () => { if (!queued) { queued = true; requestAnimationFrame(mark); } }, { passive: true });
    addEventListener("resize", mark);
    mark();
  }

  // ---- a decoded plane under the pointer: its tile, enlarged ------------------------------------------------------------
  function addLens(svg) {
    const use = svg.querySelector("use"), lens = document.createElement("div"), tiles = 21, side = 112;
    lens.className = "lens"; lens.hidden = true; document.body.append(lens);
    svg.addEventListener("pointermove", (event) => {
      const image = document.querySelector(`${use.getAttribute("href")} image`), box = use.getBoundingClientRect();
      const at = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height].map((share) => Math.floor(share * tiles));
      lens.hidden = at.some((tile) => tile < 0 || tile >= tiles);
      if (lens.hidden) return;
      lens.style.backgroundImage ||= `url(${image.getAttribute("href")})`;
      lens.style.backgroundSize = `${tiles * side}px`;
      lens.style.backgroundPosition = `${-at[0] * side}px ${-at[1] * side}px`;
      const left = event.clientX + 18 + side > innerWidth ? event.clientX - 18 - side : event.clientX + 18;
      lens.style.left = `${left + scrollX}px`; lens.style.top = `${event.clientY + scrollY - side / 2}px`;
    });
    svg.addEventListener("pointerleave", () => { lens.hidden = true; });
  }

  function start() {
    document.documentElement.classList.add("js");
    document.querySelectorAll("table.sortable").forEach(makeSortable);
    document.querySelectorAll("table.sortable").forEach(addSaving);
    document.querySelectorAll(".filters").forEach(makeFilters);
    document.querySelectorAll("svg.lattice").forEach(addLens);
    markCurrent();
  }
  return { start, compare };
})();
if (typeof module !== "undefined") module.exports = Report;
else Report.start();
