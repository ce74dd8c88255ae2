"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const sections = all("[data-section]");
const filters = document.querySelector(".filters");
const ledger = document.querySelector(".ledger tbody");
const claims = all("tr.claim");
const details = claim => claim.nextElementSibling;
// A layer without rows, such as the published figure where there is none, is no reason for a warning.
const OPTIONS = {actions: false, renderer: "svg", logLevel: 1};
const button = claim => claim.querySelector("button");

// Charts are drawn when they are first seen, and again in other colours, or where the page has another width.

function theme() {
  const style = getComputedStyle(document.documentElement);
  const color = name => style.getPropertyValue(`--${name}`).trim();
  const axis = {labelColor: color("faint"), titleColor: color("faint"), gridColor: color("line"), domainColor: color("line"), tickColor: color("line"), titleFontWeight: 400};
  const filled = (name, rest) => ({color: color(name), filled: true, opacity: 1, ...rest});
  return {
    config: {
      background: "transparent", font: "system-ui, sans-serif", view: {stroke: null}, axis,
      legend: {labelColor: color("text"), titleColor: color("faint")},
      range: {category: color("curves").split(", ")},
      style: {
        run: filled("run", {size: 45, opacity: 0.6}), mean: filled("text", {thickness: 2, size: 16}),
        beyond: {color: color("run"), filled: false, shape: "triangle-right", size: 70},
        published: {color: color("published"), filled: false, shape: "diamond", size: 90, strokeWidth: 1.8},
        level: {color: color("published"), strokeDash: [4, 3]}, margin: filled("band"), zero: {color: color("faint")},
        interval: {color: color("run"), strokeWidth: 4}, with_images: {color: color("run"), strokeWidth: 1.5},
        mean_point: filled("text", {size: 70}),
      },
    },
    params: ["run", "faint", "text", "ground"].map(name => ({name: `${name}_color`, value: color(name)})),
  };
}

async function draw(place) {
  const {chart, table, claim} = place.dataset;
  const owner = claim === undefined ? data.variants[place.closest("[data-variant]").dataset.variant] : data.claims[claim];
  const {columns, rows} = owner[table];
  const values = rows.map(row => Object.fromEntries(columns.map((column, i) => [column, row[i]])));
  const spec = {...data.charts[chart], ...theme(), data: {values}};
  if (spec.height.step) {  // which does not go with the width of the page
    spec.height = spec.height.step * new Set(values.map(row => row[spec.encoding.y.field])).size;
  }
  try {
    await vegaEmbed(place, spec, OPTIONS);
    place.dataset.drawn = "";
  } catch (error) {
    place.textContent = error;
  }
}

const drawn = new IntersectionObserver(entries => {
  for (const {isIntersecting, target} of entries) {
    if (isIntersecting) { drawn.unobserve(target); draw(target); }
  }
}, {rootMargin: "300px"});
all("[data-chart]").forEach(place => drawn.observe(place));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => all("[data-drawn]").forEach(draw));

// The address says what is shown, so that it can be shared: #findings, #ledger?report=3, #claim/<id>, #variant/<name>.

function open(claim, is_open) {
  details(claim).hidden = !is_open;
  button(claim).setAttribute("aria-expanded", is_open);
}

function show() {
  const [path, query] = decodeURI(location.hash.slice(1) || "findings").split("?");
  const claim = path.startsWith("claim/") && document.getElementById(path);
  const shown = claim ? "ledger" : sections.some(section => section.id === path) ? path : "findings";
  sections.forEach(section => { section.hidden = section.id !== shown; });
  const current = shown.startsWith("variant/") ? "variants" : shown;
  all("nav a").forEach(link => link.toggleAttribute("aria-current", link.hash === `#${current}`));
  if (claim) {
    if (claim.hidden) { filters.reset(); filter(); }
    open(claim, true);
    button(claim).focus({preventScroll: true});
    claim.scrollIntoView();
  } else {
    if (shown === "ledger") {
      const wanted = new URLSearchParams(query);
      all("[name]", filters).forEach(field => { field.value = wanted.get(field.name) ?? ""; });
      filter();
    }
    scrollTo(0, 0);
  }
}

function filter() {
  const {report, outcome, family, words} = Object.fromEntries(new FormData(filters));
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const claim of claims) {
    const of = claim.dataset;
    const fits = (!report || of.report === report) && (!outcome || of.outcome === outcome)
      && (!family || of.family.split(" ").includes(family)) && wanted.every(word => of.words.includes(word));
    claim.hidden = !fits;
    if (!fits) open(claim, false);
    count += fits;
  }
  filters.querySelector("output").textContent = `${count} of ${claims.length}`;
}

function sort(heading) {
  const key = heading.dataset.sort, cell = heading.closest("th");
  const sign = cell.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  const collator = new Intl.Collator("en", {numeric: true});
  all("th[aria-sort]").forEach(each => each.setAttribute("aria-sort", "none"));
  cell.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
  const sorted = [...claims].sort((a, b) => sign * collator.compare(a.dataset[key], b.dataset[key]) || a.dataset.order - b.dataset.order);
  sorted.forEach(claim => ledger.append(claim, details(claim)));
}

claims.forEach(claim => {
  open(claim, false);
  button(claim).addEventListener("click", () => {
    const is_open = details(claim).hidden;
    open(claim, is_open);
    history.replaceState(null, "", is_open ? `#${claim.id}` : "#ledger");
  });
});
all("[data-sort]").forEach(heading => heading.addEventListener("click", () => sort(heading)));
filters.addEventListener("submit", event => event.preventDefault());
filters.addEventListener("reset", () => setTimeout(() => { filter(); history.replaceState(null, "", "#ledger"); }));
filters.addEventListener("input", () => {
  const stated = [...new FormData(filters)].filter(([, value]) => value);
  history.replaceState(null, "", stated.length ? `#ledger?${new URLSearchParams(stated)}` : "#ledger");
  filter();
});
addEventListener("hashchange", show);
filter();
show();
