"use strict";
(() => {
  /* rows are filtered by words and by what they are; the address keeps what was chosen */
  const form = document.querySelector("form.filters");
  const search = form.querySelector("input");
  const choices = [...form.querySelectorAll("select")];
  const status = form.querySelector("[role=status]");
  const rows = [...document.querySelectorAll("tbody tr")];
  const text = new Map(rows.map((row) => [row, `${row.textContent} ${row.dataset.words ?? ""}`.toLowerCase().replaceAll(",", "")]));
  const everything = status.textContent;

  const fits = (row, words) =>
    words.every((word) => text.get(row).includes(word)) &&
    choices.every(({ value, dataset }) => !value || row.dataset[dataset.by].split("|").includes(value));
  const show = () => {
    const words = search.value.toLowerCase().replaceAll(",", "").split(/\s+/).filter(Boolean);
    for (const row of rows) row.hidden = !fits(row, words);
    for (const part of document.querySelectorAll(".of-a-study")) {
      part.hidden = !part.querySelector("tbody tr:not([hidden])");
    }
    const shown = rows.filter((row) => !row.hidden).length;
    document.querySelector(".none-fits").hidden = shown > 0;
    status.textContent = shown === rows.length ? everything : `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} ${form.dataset.unit}`;
  };
  const remember = () => {
    const chosen = [["q", search.value], ...choices.map((c) => [c.dataset.by, c.value])].filter(([, value]) => value);
    const hash = new URLSearchParams(chosen).toString();
    history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  };
  const recall = () => {
    if (!location.hash.includes("=")) return;
    const kept = new URLSearchParams(location.hash.slice(1));
    search.value = kept.get("q") ?? "";
    for (const choice of choices) choice.value = kept.get(choice.dataset.by) ?? "";
    for (const choice of choices) if (choice.selectedIndex < 0) choice.selectedIndex = 0;
  };

  /* a phone shows rows as cards: say that they stay rows of a table */
  const roles = { TABLE: "table", THEAD: "rowgroup", TBODY: "rowgroup", TR: "row", TD: "cell" };
  for (const part of document.querySelectorAll("table, thead, tbody, tr, th, td")) {
    part.setAttribute("role", roles[part.tagName] ?? (part.scope === "col" ? "columnheader" : "rowheader"));
  }

  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => { show(); remember(); });
  addEventListener("hashchange", () => { recall(); show(); });
  recall();
  show();
})();
