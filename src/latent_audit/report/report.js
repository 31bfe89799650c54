"use strict";
// Sortable tables and the current section in the contents. The page reads the same without either.
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

  function sortBy(table, column, header) {
    const descending = header.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const groups = table.tBodies.length > 1; // a body per claim: they move whole, by their first row
    const entries = [...(groups ? table.tBodies : table.tBodies[0].rows)].map((node, index) => {
      const cells = (groups ? node.rows[0] : node).cells;
      return { node, index, key: keyOf(cells[Math.min(column, cells.length - 1)]) };
    });
    entries.sort((a, b) => (descending ? -1 : 1) * compare(a.key, b.key) || a.index - b.index);
    (groups ? table : table.tBodies[0]).append(...entries.map((entry) => entry.node));
  }

  function makeSortable(table) {
    [...table.tHead.rows[0].cells].forEach((header, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...header.childNodes);
      button.addEventListener("click", () => sortBy(table, column, header));
      header.append(button);
    });
  }

  function markCurrent() {
    const links = new Map([...document.querySelectorAll("#contents a")].map((a) => [a.hash.slice(1), a]));
    const seen = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        for (const link of links.values()) link.removeAttribute("aria-current");
        links.get(entry.target.id)?.setAttribute("aria-current", "true");
      }
    }, { rootMargin: "-10% 0px -80% 0px" });
    document.querySelectorAll("main > section[id]").forEach((section) => seen.observe(section));
  }

  function start() {
    document.documentElement.classList.add("js");
    document.querySelectorAll("table.sortable").forEach(makeSortable);
    markCurrent();
  }
  return { start, compare };
})();
if (typeof module !== "undefined") module.exports = Report;
else Report.start();
