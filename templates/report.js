"use strict";
const element = (tag, text = "", css = "") => {
  const made = document.createElement(tag);
  made.textContent = text;
  if (css) made.className = css;
  return made;
};
/* tables that a phone shows as cards: say that they stay tables */
const stayTables = (tables) => {
  const roles = { TABLE: "table", THEAD: "rowgroup", TBODY: "rowgroup", TR: "row", TD: "cell" };
  for (const table of tables) {
    for (const part of [table, ...table.querySelectorAll(":scope > * > tr, :scope > :is(thead, tbody), :scope > * > tr > *")]) {
      const header = part.scope === "col" ? "columnheader" : "rowheader";
      part.setAttribute("role", roles[part.tagName] ?? header);
    }
  }
};
(() => {
  const say = (text) => {
    const status = document.getElementById("status");
    status.textContent = "";
    requestAnimationFrame(() => { status.textContent = text; });
  };

  stayTables(document.querySelectorAll("table.matrix, table.ranking, table.stack"));

  /* sorting: headers marked data-sort become buttons */
  const valueOf = (row, index) => {
    const cell = row.cells[index];
    return cell.dataset.value ?? cell.textContent.trim();
  };
  const compare = (a, b) => {
    const [x, y] = [a, b].map((text) => Number(text.replaceAll(",", "")));
    return Number.isNaN(x) || Number.isNaN(y) ? Number(a > b) - Number(a < b) : x - y;
  };
  const sortBy = (table, header) => {
    const index = header.cellIndex;
    const sign = header.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    const rows = [...table.tBodies[0].rows];
    rows.sort((a, b) => sign * compare(valueOf(a, index), valueOf(b, index)));
    table.tBodies[0].append(...rows);
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
    say(`Sorted by ${header.textContent.trim()}, ${sign > 0 ? "ascending" : "descending"}`);
  };
  for (const header of document.querySelectorAll("table[data-sortable] th[data-sort]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => sortBy(header.closest("table"), header));
  }

  /* copying: links of claims and readings, and the reference */
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  };
  const copyButton = (label, said, text) => {
    const button = element("button", label, "copy");
    button.type = "button";
    button.addEventListener("click", async () => {
      await copy(text());
      button.textContent = "Copied";
      say(said);
      setTimeout(() => { button.textContent = label; }, 1500);
    });
    return button;
  };
  for (const article of document.querySelectorAll("article.claim, article.interpretation")) {
    const address = () => `${location.href.split("#")[0]}#${article.id}`;
    const button = copyButton("Copy link", `Link to ${article.id} copied`, address);
    button.setAttribute("aria-label", `Copy link to ${article.id.replace("-", " ")}`);
    article.querySelector(".address").append(button);
  }
  for (const line of document.querySelectorAll(".cited > .line")) {
    line.after(" ", copyButton("Copy", "Line to cite copied", () => line.textContent));
  }
  for (const block of document.querySelectorAll("pre.copyable")) {
    block.after(copyButton("Copy reference", "Reference copied", () => block.textContent));
  }

  /* a table's data is in the page once, at the list of files; other links to it download it too */
  for (const link of document.querySelectorAll(".data a.file")) {
    const file = document.getElementById(link.hash.slice(1));
    link.href = file.href;
    link.download = file.download;
  }

  /* links open what they point into, also when they are followed again */
  const reveal = (hash) => {
    const target = hash && document.getElementById(decodeURIComponent(hash.slice(1)));
    if (!target) return;
    const folded = [...target.querySelectorAll(":scope > details")];
    for (let outer = target; outer; outer = outer.parentElement?.closest("details")) folded.push(outer);
    const opened = folded.filter((part) => part.localName === "details" && !part.open);
    for (const part of opened) part.open = true;
    if (opened.length) target.scrollIntoView();
  };
  addEventListener("hashchange", () => reveal(location.hash));
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (link && link.hash === location.hash) reveal(link.hash);
  });
  reveal(location.hash);

  /* on paper nothing is folded */
  let unfolded = [];
  addEventListener("beforeprint", () => {
    unfolded = [...document.querySelectorAll("details:not([open])")];
    for (const part of unfolded) part.open = true;
  });
  addEventListener("afterprint", () => { for (const part of unfolded) part.open = false; });

  /* a cell of the matrix tells how it was counted */
  const inspector = document.getElementById("inspector");
  const inspect = (link) => {
    const article = document.getElementById(`claim-${link.dataset.claim}`);
    const group = document.getElementById(link.hash.slice(1));
    const title = element("h2", `${link.dataset.claim} under ${link.dataset.reading}`);
    title.id = "inspector-title";
    const line = element("p");
    line.append(`Measured ${group.cells[0].textContent}, printed ${article.dataset.title.split("printed ")[1]}: `);
    line.append(group.cells[1].firstElementChild.cloneNode(true));
    const reason = element("p", group.querySelector(".reason")?.textContent ?? "", "note");
    const counted = article.querySelector(".facts").cloneNode(true);
    const actions = element("p", "", "actions");
    const more = element("a", "All readings of this claim");
    more.href = `#${article.id}`;
    const close = element("button", "Close", "copy");
    close.type = "button";
    for (const end of [more, close]) end.addEventListener("click", () => inspector.close());
    actions.append(more, close);
    inspector.replaceChildren(title, line, reason, counted, actions);
    inspector.showModal();
    close.focus();
  };
  document.getElementById("matrix").addEventListener("click", (event) => {
    const link = event.target.closest("a[data-claim]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    inspect(link);
  });
  inspector.addEventListener("click", (event) => { if (event.target === inspector) inspector.close(); });
})();
