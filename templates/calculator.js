/* The calculator: type a number, and see what was counted that gives it. The data is in the page, and the
   rule is that of reconcile/report/calculator.py: a test holds the two against each other. */
(() => {
  const source = document.getElementById("counted-numbers");
  if (!source) return;
  const data = JSON.parse(source.textContent);
  const MOST = 25;

  /* exact numbers: a ratio of whole ones */
  const gcd = (a, b) => { while (b) [a, b] = [b, a % b]; return a < 0n ? -a : a; };
  const ratio = (n, d = 1n) => {
    const common = gcd(n, d) * (d < 0n ? -1n : 1n);
    return { n: n / common, d: d / common };
  };
  const read = (text) => ratio(...text.split("/").map(BigInt));
  const times = (a, b) => ratio(a.n * b.n, a.d * b.d);
  const over = (a, b) => ratio(a.n * b.d, a.d * b.n);
  const plus = (a, b) => ratio(a.n * b.d + b.n * a.d, a.d * b.d);
  const less = (a, b) => a.n * b.d < b.n * a.d;
  const same = (a, b) => a.n === b.n && a.d === b.d;
  const power = (base, exponent) => (
    exponent < 0 ? ratio(1n, BigInt(base) ** BigInt(-exponent)) : ratio(BigInt(base) ** BigInt(exponent))
  );
  const HALF = ratio(1n, 2n);
  const NEGATIVE = ratio(-1n);
  const near = (a) => Number(a.n) / Number(a.d);

  /* the digits, as a study's are read */
  const whole = (pattern) => new RegExp(`^(?:${pattern})$`, "i");
  const { spelling } = data;
  const [NUMBER, TAIL, AMBIGUOUS] = ["number", "tail", "ambiguous"].map((name) => whole(spelling[name]));
  const raised = new RegExp(`[${Object.keys(spelling.raised).join("")}]+`, "g");
  const plainly = (text) => {
    const lowered = text.trim().replace(raised, (run) => `^${[...run].map((sign) => spelling.raised[sign]).join("")}`);
    return [...lowered].map((sign) => spelling.same[sign] ?? sign).join("");
  };
  const tailOf = (found) => {
    const one = ratio(1n);
    if (found.share) return { worth: ratio(1n, /[‰e]$/i.test(found.share) ? 1000n : 100n), share: true };
    if (found.fold) return { worth: one, share: true };
    const scale = found.word ?? found.letter;
    if (!scale) return { worth: one };
    const worth = power(found.binary ? 1024 : 1000, spelling.thousands[scale.slice(0, 2).toLowerCase()]);
    return { worth, scales: true, asks: found.bytes && !found.binary };
  };
  const mantissa = (found) => {
    const sign = found.sign === "-" ? -1n : 1n;
    if (found.part) return { digits: sign * BigInt(found.part), last: ratio(1n, BigInt(found.whole)), zeros: 0 };
    if (found.base === "10") return { digits: sign, last: power(10, Number(found.exponent)), zeros: 0 };
    if (found.base) {
      return { digits: sign * BigInt(found.base) ** BigInt(found.exponent), last: ratio(1n), zeros: 0, exact: true };
    }
    let text = found.digits.replace(/[, ']/g, "");
    if (text.split(".").length > 2) text = text.replaceAll(".", "");
    const [integer, decimals = ""] = text.split(".");
    const digits = BigInt(integer + decimals);
    const ten = Number(found.ten ?? 0) - decimals.length;
    const zeros = digits && !decimals ? integer.length - integer.replace(/0+$/, "").length : 0;
    return { digits: sign * digits, last: power(10, ten), zeros, exact: ten === 0 && !decimals };
  };
  const parse = (typed) => {
    const text = plainly(typed);
    const found = typed.length <= spelling.longest ? NUMBER.exec(text)?.groups : undefined;
    const after = found?.tail ? TAIL.exec(found.tail) : null;
    if (!found || (found.tail && !after)) return null;
    if (found.base && BigInt(found.base).toString(2).length * Number(found.exponent) > spelling.bits) return null;
    const tail = after ? tailOf(after.groups) : { worth: ratio(1n) };
    if (tail.asks) return { asks: `“${typed}” may count in 1,000 or in 1,024: leave the B out, or write KiB, MiB or GiB.` };
    if (!found.ten && !tail.share && !tail.scales && AMBIGUOUS.test(found.digits ?? "")) {
      return { asks: `“${typed}” may be ${found.digits.replace(".", ",")} too: write the comma, or one digit more.` };
    }
    const { digits, last, zeros, exact } = mantissa(found);
    const unit = times(last, tail.worth);
    const told = tail.share || found.about;
    const counts = Boolean(exact && same(tail.worth, ratio(1n)) && !told);
    return { value: times(ratio(digits), unit), unit, zeros, exact: counts };
  };

  /* how a number stands to the digits: the words of a verdict, the best first */
  const FITS = ["matches", "matches-rounded", "matches-truncated", "matches-zeros"];
  const SAYS = ["exact", "rounded", "cut", "if its last zeros are no digits"];
  const inside = (x, low, high) => !less(x, low) && less(x, high);
  const rounds = (x, value, unit) => {
    const half = times(unit, HALF);
    return inside(x, plus(value, times(half, NEGATIVE)), plus(value, half));
  };
  const cuts = (x, value, unit) => inside(x, value, plus(value, unit));
  const opened = ({ value, unit, zeros }) => {
    const open = times(unit, power(10, zeros));
    return zeros && less(open, value) ? open : null;
  };
  const fitOf = (x, printed) => {
    const { value, unit, exact } = printed;
    if (same(x, value)) return 0;
    const counted = exact && x.d === 1n;
    if (!counted && rounds(x, value, unit)) return 1;
    if (!counted && cuts(x, value, unit)) return 2;
    const open = opened(printed);
    return open && (rounds(x, value, open) || cuts(x, value, open)) ? 3 : -1;
  };

  /* what is counted */
  const values = data.values.map(read);
  const units = [["", "1", ""], ...data.units].map(([says, factor, text]) => ({ says, factor: read(factor), text }));
  const quoted = (quantity, layer) => {
    const bare = /^[\p{L}_][\p{L}\p{N}_]*$/u.test(layer);
    const text = layer.includes("'") ? `"${layer}"` : `'${layer}'`;
    return `${quantity}(${bare ? layer : text})`;
  };
  const ofLayers = (quantity, layer, more) => {
    const [name, words] = data.quantities[quantity];
    const known = data.layers[layer];
    const [id, called] = Array.isArray(known) ? known : [known, known];
    const also = more ? ` and ${more.toLocaleString("en")} more layer${more === 1 ? "" : "s"}` : "";
    return {
      says: layer ? `${words} of ${called}${also}` : words,
      expression: quoted(name, id),
      cost: layer ? 1 : 0,
      usual: data.usual.includes(name),
    };
  };
  const occurrences = function* (index) {
    const cells = data.at[index];
    for (let i = 0; i < cells.length; i += 4) {
      const [quantity, layer, set, more] = cells.slice(i, i + 4);
      const [says, expression, cost] = quantity < 0 ? data.texts[-1 - quantity] : [];
      const what = quantity < 0 ? { says, expression, cost, usual: true } : ofLayers(quantity, layer, more);
      yield { ...what, networks: data.sets[set] };
    }
  };
  const inUnit = (what, unit) => {
    if (!unit.text) return what;
    const sums = [" + ", " - ", " / "].some((sign) => what.expression.includes(sign));
    const expression = (sums ? `(${what.expression})` : what.expression) + unit.text;
    return { ...what, says: `${what.says}, ${unit.says}`, expression, cost: what.cost + 1 };
  };
  const firstAtLeast = (bound, strictly = false) => {
    let [low, high] = [0, values.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (less(values[middle], bound) || (strictly && same(values[middle], bound))) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const byText = (a, b) => {
    const [x, y] = [a, b].map((text) => [...text]);
    const at = x.findIndex((sign, i) => sign !== y[i]);
    return at < 0 ? x.length - y.length : x[at].codePointAt(0) - (y[at]?.codePointAt(0) ?? -1);
  };
  const byPlaces = (a, b) => {
    const at = a.findIndex((index, i) => index !== b[i]);
    return at < 0 ? a.length - b.length : a[at] - (b[at] ?? -1);
  };
  const byRank = (a, b) => (
    (a.cost + (a.fit === 3)) - (b.cost + (b.fit === 3)) || a.fit - b.fit || b.usual - a.usual
    || [...a.expression].length - [...b.expression].length || byText(a.expression, b.expression)
    || byPlaces(a.networks, b.networks)
  );
  const lookUp = (printed) => {
    const reach = opened(printed) ?? printed.unit;
    const [low, high] = [plus(printed.value, times(reach, NEGATIVE)), plus(printed.value, reach)];
    const hits = [];
    for (const unit of units) {
      const end = firstAtLeast(over(high, unit.factor), true);
      for (let i = firstAtLeast(over(low, unit.factor)); i < end; i += 1) {
        const value = times(values[i], unit.factor);
        const fit = fitOf(value, printed);
        if (fit >= 0) for (const what of occurrences(i)) hits.push({ ...inUnit(what, unit), value, fit });
      }
    }
    return hits.sort(byRank);
  };
  const byChance = (printed) => {
    if (printed.value.n <= 0n) return 0;
    const width = printed.exact ? 1 : 1.5 * near(printed.unit);
    let around = 0;
    for (const { factor } of units) {
      const [low, high] = [HALF, ratio(2n)].map((bound) => over(times(printed.value, bound), factor));
      around += firstAtLeast(high, true) - firstAtLeast(low);
    }
    return (around * width) / near(printed.value) / Math.log(4);
  };
  /* the form and the table */
  const header = (text, scope, css = "") => Object.assign(element("th", text, css), { scope });
  const form = element("form", "", "calculator");
  const label = element("label", "A number, as a paper prints it");
  const input = Object.assign(element("input"), { id: "number", type: "text", autocomplete: "off", spellcheck: false });
  label.htmlFor = input.id;
  input.setAttribute("aria-describedby", "number-hint");
  const hint = element("span", "such as 253,440, 4.1G, 0.27M or 60 million", "note");
  hint.id = "number-hint";
  const outcome = element("p", "", "outcome");
  outcome.setAttribute("role", "status");
  const results = element("div", "", "results");
  form.append(label, input, hint);
  source.before(form, outcome, results);
  form.addEventListener("submit", (event) => event.preventDefault());

  const number = (value) => (
    value.d === 1n ? value.n.toLocaleString("en") : near(value).toLocaleString("en", { maximumSignificantDigits: 6 })
  );
  const linked = (name) => {
    const id = name.split(": ")[0];
    if (!document.getElementById(`interpretation-${id}`)) return element("span", name, "id");
    const link = element("a", name, "id");
    link.href = `#interpretation-${id}`;
    return link;
  };
  const under = (networks) => {
    const names = networks.map((index) => data.networks[index]);
    if (names.length === data.networks.length && names.length > 1) return [`all ${names.length} networks`];
    const shown = names.slice(0, names.length > 4 ? 3 : 4).flatMap((name, i) => (i ? [", ", linked(name)] : [linked(name)]));
    return names.length > 4 ? [...shown, ` and ${names.length - 3} more`] : shown;
  };
  const HEADS = ["What is counted", "As an expression", "Number", "Digits", "Under"];
  const rowOf = (hit) => {
    const row = element("tr");
    const head = header(hit.says, "row");
    const expression = element("td");
    expression.append(element("code", hit.expression));
    const readings = element("td");
    readings.append(...under(hit.networks));
    const cells = [head, expression, element("td", number(hit.value), "n"), element("td", SAYS[hit.fit]), readings];
    cells.forEach((cell, i) => { if (i) cell.dataset.label = HEADS[i]; });
    row.append(...cells);
    return row;
  };
  const tableOf = (typed, hits) => {
    const table = element("table", "", "plain searches found stack");
    const shown = hits.slice(0, MOST);
    const of = hits.length > MOST ? `, the first ${MOST} of ${hits.length.toLocaleString("en")}` : "";
    table.append(element("caption", `What gives ${typed}${of}. What must assume least stands first.`));
    const heads = element("tr");
    heads.append(...HEADS.map((text, i) => header(text, "col", i === 2 ? "n" : "")));
    const [top, body] = [element("thead"), element("tbody")];
    top.append(heads);
    body.append(...shown.map(rowOf));
    table.append(top, body);
    stayTables([table]);
    const scroll = element("div", "", "scroll");
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", `What gives ${typed}`);
    scroll.append(table);
    return scroll;
  };
  const nearest = (printed) => {
    const at = firstAtLeast(printed.value);
    const sides = [at - 1, at].filter((i) => i >= 0 && i < values.length);
    const told = sides.map((i) => `${number(values[i])} (${[...occurrences(i)].sort((a, b) => a.cost - b.cost)[0].says})`);
    return told.length ? ` Nearest: ${told.join(" and ")}.` : "";
  };
  const chanceWords = (chance) => {
    const text = chance.toLocaleString("en", { maximumSignificantDigits: 2 });
    return `An arbitrary number of this precision would have about ${text} ${chance === 1 ? "hit" : "hits"}.`;
  };
  const answer = () => {
    const typed = input.value.trim();
    results.replaceChildren();
    const printed = typed ? parse(typed) : null;
    input.setAttribute("aria-invalid", String(Boolean(typed) && (!printed || Boolean(printed.asks))));
    if (!typed) outcome.textContent = "";
    else if (!printed) outcome.textContent = `“${typed}” is no number as papers print them.`;
    else if (printed.asks) outcome.textContent = printed.asks;
    else {
      const hits = lookUp(printed);
      const found = hits.length ? `${hits.length.toLocaleString("en")} ${hits.length === 1 ? "way gives" : "ways give"} ${typed}.` : `Nothing that was counted gives ${typed}.${nearest(printed)}`;
      outcome.textContent = `${found} ${chanceWords(byChance(printed))}`;
      if (hits.length) results.append(tableOf(typed, hits));
    }
  };
  let waiting;
  input.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(answer, 200); });
  form.addEventListener("submit", () => { clearTimeout(waiting); answer(); });
})();
