// The board's page: sorting, filtering, charts drawn when they come into view, and a view of one run or problem.
// Every text goes in as text, never as markup.

const byId = (id) => document.getElementById(id);
const live = document.body.hasAttribute("data-live");

// Names of folders and problems come as they are: control characters and direction marks are written out.
const steering = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;
const printable = (text) => String(text).replace(steering, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);

function make(tag, options = {}, ...children) {
  const { text, ...attributes } = options;
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== false) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = tag === "script" ? text : printable(text);
  node.append(...children);
  return node;
}

async function unpack(id) {
  const bytes = Uint8Array.from(atob(byId(id).textContent), (sign) => sign.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}
let opened;
const data = () => (opened ??= unpack("data").then(JSON.parse));

// ---- sorting: rows that are not ranked stay below, seeds stay with their row ----
const cellKey = (row, column) => row.cells[column].dataset.key ?? row.cells[column].textContent;

function sortTable(table, column, up) {
  const heads = table.tHead.rows[0].cells, body = table.tBodies[0];
  for (const other of heads) other.removeAttribute("aria-sort");
  heads[column].setAttribute("aria-sort", up ? "ascending" : "descending");
  const groups = [];
  for (const row of body.rows) {
    if (row.classList.contains("seed")) groups.at(-1).push(row);
    else groups.push([row]);
  }
  groups.sort(([a], [b]) => {
    const grey = a.classList.contains("grey") - b.classList.contains("grey");
    if (grey) return grey;
    const one = cellKey(a, column), two = cellKey(b, column), x = parseFloat(one), y = parseFloat(two);
    if (isNaN(x) !== isNaN(y)) return isNaN(x) - isNaN(y);
    const order = isNaN(x) ? one.localeCompare(two) : x - y;
    return up ? order : -order;
  });
  body.append(...groups.flat());
}

function enableSorting(root) {
  for (const button of root.querySelectorAll("th button")) {
    button.addEventListener("click", () => {
      const head = button.closest("th"), now = head.getAttribute("aria-sort");
      const up = now ? now === "descending" : head.dataset.first === "up";
      sortTable(head.closest("table"), head.cellIndex, up);
      keep();
    });
  }
}

// ---- filtering and opening of pooled rows ----
function showRows() {
  const phrases = byId("filter").value.toLowerCase().split(",").map((part) => part.trim()).filter(Boolean);
  let shown = 0, all = 0;
  const where = byId("detail").hidden ? "main" : "article";
  for (const row of document.querySelectorAll(`${where} tbody tr`)) {
    const text = [...row.querySelectorAll("td:not(.n)")].map((cell) => cell.textContent.toLowerCase()).join("\n");
    const matches = phrases.every((phrase) => text.includes(phrase));
    if (row.classList.contains("seed")) {
      const parent = parentOf(row);
      row.hidden = !matches || parent.querySelector(".open").getAttribute("aria-expanded") !== "true";
    } else {
      row.hidden = !matches;
      shown += matches;
      all += 1;
    }
  }
  byId("count").textContent = phrases.length ? `${shown} of ${all} rows` : "";
}

function parentOf(seed) {
  let row = seed;
  while (row.classList.contains("seed")) row = row.previousElementSibling;
  return row;
}

function toggle(button) {
  button.setAttribute("aria-expanded", button.getAttribute("aria-expanded") !== "true");
  showRows();
  keep();
}

// ---- every view has a filter of its own ----
const filters = {};
let view = location.hash;
function turn() {
  filters[view] = byId("filter").value;
  view = location.hash;
  byId("filter").value = filters[view] ?? "";
}

// ---- what a reload of a live page must not lose ----
function keep() {
  if (!live) return;
  const sorts = [...document.querySelectorAll("main table")].map((table) => {
    const head = table.querySelector("th[aria-sort]");
    return head && [head.cellIndex, head.getAttribute("aria-sort") === "ascending"];
  });
  const open = [...document.querySelectorAll("main .open[aria-expanded=true]")].map((one) => one.textContent);
  sessionStorage.setItem("board", JSON.stringify({ sorts, open, filter: view ? filters[""] : byId("filter").value, y: scrollY }));
}

function restore() {
  const kept = live && JSON.parse(sessionStorage.getItem("board") ?? "null");
  if (!kept) return;
  filters[""] = kept.filter ?? "";
  if (!view) byId("filter").value = filters[""];
  document.querySelectorAll("main table").forEach((table, number) => {
    const sort = kept.sorts[number];
    if (sort && table.tHead.rows[0].cells[sort[0]]) sortTable(table, ...sort);
  });
  for (const button of document.querySelectorAll("main .open"))
    if (kept.open.includes(button.textContent)) button.setAttribute("aria-expanded", "true");
  showRows();
  scrollTo(0, kept.y);
}

// ---- charts ----
let library;
function chartLibrary() {
  return (library ??= unpack("vega").then((code) => {
    document.head.append(make("script", { text: code }));
    return window.vegaEmbed;
  }));
}
const isDark = () => {
  const chosen = document.documentElement.classList;
  return chosen.contains("dark") || (!chosen.contains("light") && matchMedia("(prefers-color-scheme: dark)").matches);
};

async function draw(figure) {
  const { charts, themes } = await data(), embed = await chartLibrary();
  const config = { ...themes[isDark() ? "dark" : "light"], background: "transparent" };
  await embed(figure, charts[figure.id], { config, renderer: "svg", actions: { export: true, source: false, compiled: false, editor: false } });
  figure.dataset.drawn = "yes";
}

const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    draw(target);
  }
}, { rootMargin: "200px" });

function redraw() {
  for (const figure of document.querySelectorAll(".chart[data-drawn]")) draw(figure);
}

// ---- one run, or one problem of a run: #run/NAME and #run/NAME/PROBLEM ----
async function runOf(name) {
  const found = (await data()).runs[name];
  if (found || !live) return found;
  const answer = await fetch(`run/${encodeURIComponent(name)}`);
  return answer.ok ? answer.json() : undefined;
}

async function route() {
  const [kind, name, problem] = location.hash.slice(1).split("/").map(decodeURIComponent);
  const main = document.querySelector("main"), detail = byId("detail");
  if (kind !== "run" || !name) {
    main.hidden = false;
    detail.hidden = true;
    showRows();
    return;
  }
  const run = await runOf(name);
  const back = make("p", {}, make("a", { href: "#", text: `Back to ${document.body.dataset.back}` }));
  if (!run) {
    const text = `The attempts of ${name} are not in this page: it holds those of the best rows. In a terminal: harness show ${name}`;
    detail.replaceChildren(back, make("p", { text }));
  } else if (problem === undefined) {
    detail.replaceChildren(back, ...runView(run));
  } else {
    detail.replaceChildren(back, ...problemView(run, problem, await data()));
  }
  enableSorting(detail);
  main.hidden = true;
  detail.hidden = false;
  showRows();
  detail.focus({ preventScroll: true });
  scrollTo(0, 0);
}

const link = (run, problem) => `#run/${encodeURIComponent(run)}/${encodeURIComponent(problem)}`;
const number = (value) => (value === undefined ? "-" : String(value));

function table(titles, rows) {
  const head = titles.map(([title, right]) =>
    make("th", { scope: "col", class: right ? "n" : false, "data-first": right ? false : "up" }, make("button", { type: "button", text: title })));
  const body = rows.map((cells) => make("tr", {}, ...cells.map((cell, at) =>
    make("td", { class: titles[at][1] ? "n" : false }, cell))));
  return make("div", { class: "wide" }, make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...body)));
}

function facts(run) {
  const list = make("dl");
  for (const [key, value] of run.facts) list.append(make("dt", { text: key }), make("dd", { text: value }));
  return list;
}

function runView(run) {
  const counted = run.problems.filter((one) => !one.canary);
  const rows = counted.map((one) => {
    const best = one.attempts[0], proved = one.attempts.filter((a) => a.status === "proved").length;
    const status = best?.status ?? "missing";
    return [
      make("a", { href: link(run.name, one.id), text: one.id }), one.category,
      make("span", { class: status, text: status }), `${proved}/${one.attempts.length}`, best?.reason ?? "",
      number(best?.expansions), number(best?.tokens), number(best?.seconds),
    ];
  });
  const titles = [["problem"], ["category"], ["best attempt"], ["proved", true], ["reason"], ["expansions", true], ["tokens", true], ["seconds", true]];
  return [
    make("h2", { text: run.title }),
    make("p", {}, `${run.name} `, ...(run.link ? [make("a", { href: run.link, text: "in W&B", rel: "noopener" })] : [])),
    table(titles, rows),
    make("details", {}, make("summary", { text: "How it was made, and every figure" }), facts(run)),
  ];
}

function problemView(run, id, { runs, texts }) {
  const one = run.problems.find((item) => item.id === id);
  if (!one) return [make("p", { text: `${id} is no problem of ${run.name}` })];
  const parts = [make("h2", { text: id }), make("p", {}, "in ", make("a", { href: `#run/${encodeURIComponent(run.name)}`, text: `${run.title} (${run.name})` }))];
  const said = (run.texts ?? texts)[`${one.id} ${one.revision}`];
  if (said) parts.push(make("pre", { text: said.statement }));
  else parts.push(make("p", { text: `revision ${one.revision}; its benchmark is not on the machine that made this page` }));
  if (said?.informal) parts.push(make("p", { text: said.informal }));
  for (const attempt of one.attempts) parts.push(attemptView(attempt, { run: run.name, problem: id }));
  if (!one.attempts.length) parts.push(make("p", { text: "No attempt yet." }));
  const others = Object.values(runs).filter((other) => other.name !== run.name)
    .map((other) => [other, other.problems.find((item) => item.id === id && item.revision === one.revision)]).filter(([, item]) => item);
  if (others.length) {
    const rows = others.map(([other, item]) => {
      const status = item.attempts[0]?.status ?? "missing";
      return [make("a", { href: link(other.name, id), text: other.title }), make("span", { class: status, text: status }), number(item.attempts[0]?.expansions), other.name];
    });
    parts.push(make("h3", { text: "The same problem in other runs" }), table([["row"], ["best attempt"], ["expansions", true], ["run"]], rows));
  }
  return parts;
}

function attemptView(attempt, where) {
  const spent = [
    attempt.expansions !== undefined && `${attempt.expansions} expansions, ${attempt.calls} tactic calls, depth ${attempt.depth}`,
    attempt.stopped && `stopped: ${attempt.stopped}`,
    `${attempt.tokens} tokens`, `${attempt.seconds} s`,
  ].filter(Boolean).join(", ");
  const title = make("summary", {}, make("span", { class: attempt.status, text: attempt.status }), ` sample ${attempt.sample}: ${attempt.reason} (${spent})`);
  const evidence = `Verdict: ${attempt.evidence}.` + (attempt.axioms ? ` Axioms: ${attempt.axioms}.` : "");
  const parts = [title, make("p", { text: evidence })];
  if (attempt.proof) parts.push(make("pre", { class: "proof", text: attempt.proof }));
  if (attempt.detail) parts.push(make("pre", { text: attempt.detail }));
  if (attempt.tree) parts.push(treeView(attempt, where));
  return make("details", { open: attempt.status === "proved" ? "" : false }, ...parts);
}

// The states of a search that were expanded, indented by depth; each opens to its goals.
function treeView(attempt, { run, problem }) {
  const box = make("details", { class: "tree" }, make("summary", { text: "Search tree" }));
  box.addEventListener("toggle", async () => {
    if (box.childElementCount > 1) return;
    const found = await treeOf(attempt, run, problem);
    if (!found) box.append(make("p", { text: `Not in this page. In a terminal: harness tree ${run} ${problem} --sample ${attempt.sample}` }));
    else box.append(make("div", { class: "branches" }, ...found.map(([depth, tactic, state, figures, onProof]) => {
      const line = make("summary", {}, make("code", { text: tactic }), ` ${figures || state}`);
      const branch = make("details", { class: onProof ? "proof" : false }, line, ...(figures ? [make("pre", { text: state })] : []));
      branch.style.marginLeft = `${Math.min(depth, 40) * 1.1}rem`;
      return branch;
    })));
  });
  return box;
}

async function treeOf(attempt, run, problem) {
  if (Array.isArray(attempt.tree)) return attempt.tree;
  if (!live) return undefined;
  const answer = await fetch(`tree/${encodeURIComponent(run)}/${attempt.sample}?problem=${encodeURIComponent(problem)}`);
  return answer.ok ? answer.json() : undefined;
}

// ---- keyboard ----
let here = -1;
function move(step) {
  const rows = [...document.querySelectorAll("main tbody tr, article tbody tr")].filter((row) => row.offsetParent);
  document.querySelector("tr.here")?.classList.remove("here");
  here = Math.max(0, Math.min(rows.length - 1, here + step));
  rows[here]?.classList.add("here");
  rows[here]?.querySelector("a, button")?.focus({ preventScroll: true });
  rows[here]?.scrollIntoView({ block: "nearest" });
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    if (event.target === byId("filter")) event.target.blur();
    else if (location.hash.length > 1) history.back();
  } else if (event.target === byId("filter")) {
    if (event.key !== "Enter") return;
    event.preventDefault();
    here = -1;
    move(1);
  }
  else if (event.key === "/") {
    event.preventDefault();
    byId("filter").focus();
  } else if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
});

byId("filter").addEventListener("input", () => { showRows(); keep(); });
byId("theme").addEventListener("click", () => {
  const dark = isDark();
  document.documentElement.classList.toggle("dark", !dark);
  document.documentElement.classList.toggle("light", dark);
  redraw();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
for (const button of document.querySelectorAll("main .open")) button.addEventListener("click", () => toggle(button));
addEventListener("hashchange", () => { here = -1; turn(); route(); });
enableSorting(document.querySelector("main"));
restore();
route();
for (const figure of document.querySelectorAll(".chart")) seen.observe(figure);

if (live) {
  let version;
  setInterval(async () => {
    try {
      const now = await (await fetch("version")).text();
      if (version !== undefined && now !== version) { keep(); location.reload(); }
      version = now;
    } catch { /* the server has ended; the page stays as it is */ }
  }, 3000);
  addEventListener("scroll", keep, { passive: true });
}
