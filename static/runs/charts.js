"use strict";

// A cursor and a zoom over the charts that the server has drawn. At rest the drawing stays as it is;
// while it is zoomed uPlot draws the same series in the same place. Charts of one group move together.

const LEFT = 40; // the margin that the stylesheet gives the drawings' numbers
const charts = new Map();

const colour = (name) => {
  const probe = document.createElement("span");
  probe.className = name === "q" ? "ll-ink-q" : "ll-ink-a";
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
};
const quiet = () => getComputedStyle(document.querySelector(".ll-quiet, .ll-svg text") || document.body).color;
const short = (value) => (Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3))).toLocaleString("en-GB").replace(/,/g, " ");
const withUnit = (value, unit) => (value === null || value === undefined ? "–" : `${short(value)}${unit ? ` ${unit}` : ""}`);
const translucent = (rgb, share) => rgb.replace(/^rgba?\(([^)]*)\)$/, (_, parts) => `rgba(${parts.split(/[, /]+/).slice(0, 3).join(",")},${share})`);

function read(figure, data, index) {
  const line = figure.querySelector(".ll-read");
  if (index === null || index === undefined || index >= data.edges.length - 1) { line.textContent = ""; return; }
  const from = short(data.edges[index]);
  const to = short(data.edges[index + 1]);
  const figures = data.series.map((each) => `${each.label} ${withUnit(each.values[index], each.unit)}`);
  line.textContent = `${from} to ${to} ${data.unit}: ${figures.join(", ")}`;
}

function enhance(figure) {
  const script = figure.querySelector("script[type='application/json']");
  const plot = figure.querySelector(".ll-plot");
  const svg = plot && plot.querySelector("svg.ll-svg");
  if (!script || !svg || charts.has(figure)) return;
  const data = JSON.parse(script.textContent);
  if (!svg.clientWidth) return; // in a closed fold: when it opens
  const place = document.createElement("div");
  place.className = "ll-live";
  place.setAttribute("aria-hidden", "true");
  const line = document.createElement("p");
  line.className = "ll-read";
  line.setAttribute("aria-hidden", "true");
  plot.append(place, line);

  const zoomed = () => figure.classList.contains("is-zoomed");
  const hidden = "rgba(0,0,0,0)";
  const ink = (shown) => () => (zoomed() ? shown() : hidden);
  const grid = { stroke: ink(() => translucent(quiet(), 0.25)), width: 1 };
  const steps = uPlot.paths.stepped({ align: 1 });
  const options = {
    width: svg.clientWidth + LEFT,
    height: data.height,
    padding: [data.top, 0, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      points: { show: false },
      drag: { x: true, y: false, setScale: true },
      sync: data.group ? { key: `${data.group}`, setSeries: false } : undefined,
    },
    scales: { x: { time: false, range: (u, min, max) => [min, max] }, y: { range: () => data.y } },
    axes: [
      { size: data.bottom, stroke: ink(quiet), grid, ticks: { show: false }, values: (u, ticks) => ticks.map((tick, i) => (i === ticks.length - 1 ? `${short(tick)} ${data.unit}` : short(tick))) },
      { size: LEFT, stroke: ink(quiet), grid, ticks: { show: false }, values: (u, ticks) => ticks.map((tick, i) => (i === ticks.length - 1 ? withUnit(tick, data.yUnit) : short(tick))) },
    ],
    series: [{}, ...data.series.map((each) => ({
      label: each.label,
      paths: steps,
      points: { show: false },
      width: each.kind === "q" ? 1.5 : 2,
      stroke: ink(() => colour(each.kind)),
      fill: each.fill ? ink(() => translucent(colour(each.kind), 0.18)) : undefined,
    }))],
    hooks: {
      setCursor: [(u) => read(figure, data, u.cursor.idx)],
      setScale: [(u, key) => {
        if (key !== "x") return;
        const whole = u.scales.x.min <= data.x[0] && u.scales.x.max >= data.x[1];
        figure.classList.toggle("is-zoomed", !whole);
        if (data.group) follow(figure, data.group, u.scales.x.min, u.scales.x.max);
      }],
    },
  };
  const values = [data.edges, ...data.series.map((each) => [...each.values, each.values[each.values.length - 1]])];
  const u = new uPlot(options, values, place);
  u.setScale("x", { min: data.x[0], max: data.x[1] });
  u.over.addEventListener("dblclick", () => u.setScale("x", { min: data.x[0], max: data.x[1] }));
  u.over.addEventListener("mouseleave", () => read(figure, data, null));
  charts.set(figure, { u, data, svg });
}

let following = false;
function follow(leader, group, min, max) {
  if (following) return;
  following = true;
  charts.forEach(({ u, data }, figure) => {
    if (figure !== leader && data.group === group) u.setScale("x", { min: Math.max(min, data.x[0]), max: Math.min(max, data.x[1]) });
  });
  following = false;
}

const enhanceAll = (root) => root.querySelectorAll("[data-chart]").forEach(enhance);
const forget = () => charts.forEach(({ u }, figure) => {
  if (!figure.isConnected) { u.destroy(); charts.delete(figure); }
});

document.addEventListener("toggle", (event) => { if (event.target.open) enhanceAll(event.target); }, true);
document.addEventListener("htmx:afterSwap", (event) => { forget(); enhanceAll(event.target); });
window.addEventListener("resize", () => charts.forEach(({ u, data, svg }) => {
  if (svg.clientWidth) u.setSize({ width: svg.clientWidth + LEFT, height: data.height });
}));
new MutationObserver(() => charts.forEach(({ u }) => u.redraw())).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
enhanceAll(document);

// PNG: the drawing with its colours written into it, at twice its size, under its title.
const WRITTEN = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "font-size", "font-weight", "font-family", "display"];
const TITLE_HEIGHT = 34;

function drawn(svg) {
  const copy = svg.cloneNode(true);
  const [from, to] = [svg.querySelectorAll("*"), copy.querySelectorAll("*")];
  from.forEach((element, place) => {
    const style = getComputedStyle(element);
    WRITTEN.forEach((name) => to[place].setAttribute(name, style.getPropertyValue(name)));
  });
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", svg.clientWidth);
  copy.setAttribute("overflow", "visible");
  copy.removeAttribute("class");
  return copy;
}

function picture(figures) {
  const parts = figures.map((figure) => ({
    title: figure.querySelector("figcaption :is(h2, h3, h4)").textContent,
    svg: figure.querySelector("svg.ll-svg"),
  }));
  const width = Math.max(...parts.map(({ svg }) => svg.clientWidth)) + LEFT + 16;
  const style = getComputedStyle(document.body);
  let y = 0;
  const pieces = parts.map(({ title, svg }) => {
    const copy = drawn(svg);
    copy.setAttribute("x", LEFT);
    copy.setAttribute("y", y + TITLE_HEIGHT);
    const name = document.createElementNS("http://www.w3.org/2000/svg", "text");
    name.textContent = title;
    Object.entries({ x: 8, y: y + 22, fill: style.color, "font-size": 15, "font-weight": 600, "font-family": style.fontFamily })
      .forEach(([key, value]) => name.setAttribute(key, value));
    y += TITLE_HEIGHT + svg.clientHeight + 8;
    // why not outerHTML: it writes a no-break space as &nbsp;, which is no SVG
    return [name, copy].map((each) => new XMLSerializer().serializeToString(each)).join("");
  });
  const source = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}"><rect width="100%" height="100%" fill="${style.backgroundColor}"/>${pieces.join("")}</svg>`;
  return { source, width, height: y };
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-png]");
  if (!button) return;
  const figure = button.closest("figure.ll-chart");
  const figures = figure ? [figure] : [...button.closest("details").querySelectorAll("figure.ll-chart")];
  const { source, width, height } = picture(figures);
  const image = new Image();
  image.onload = () => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [2 * width, 2 * height];
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    const link = document.createElement("a");
    link.href = canvas.toDataURL("image/png");
    link.download = `${(figures[0].dataset.name || "chart")}.png`;
    link.click();
  };
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(source)}`;
});
