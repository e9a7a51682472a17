// Paths of optimisers on a map of the loss: which are shown, at which learning rate, to
// which step. All is drawn from pieces that were worked out beforehand, in pixels.

const STYLE = `
.minidl-surface { max-width: 520px; }
.minidl-surface .choice { display: flex; flex-wrap: wrap; gap: 6px; }
.minidl-surface .choice button { display: flex; align-items: center; gap: 6px;
  padding: 0 10px; }
.minidl-surface .choice button[aria-pressed="false"] { background: #fff;
  border-style: dashed; color: #50606e; }
.minidl-surface .choice button[aria-pressed="false"] svg { opacity: 0.35; }
.minidl-surface .rate { min-width: 11em; font-variant-numeric: tabular-nums; }
.minidl-surface .map svg { display: block; width: 100%; height: auto; margin: 8px auto 0; }
.minidl-surface .caption { margin-top: 6px; line-height: 1.4; min-height: 1.4em; }
`;

function svg(name, attributes, words = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = words;
  return made;
}

// What there is to draw at `step` of the `shown` optimisers: [name, line, dot, label].
export function lines(tracks, shown, step) {
  return Object.entries(tracks).filter(([name]) => shown.includes(name))
    .flatMap(([name, t]) => [
      [name, t.curve, t.marks[step], t.name],
      [name, t.pieces.slice(0, step + 1).join(""), t.dots[step], t.labels[step]]]);
}

// [white edge, line, dot at its end, label] of one line.
function drawn([name, line, [cx, cy], [x, y, anchor]], [colour, dashes]) {
  const path = (stroke, width, dashes) => svg("path", { d: line, fill: "none", stroke,
    "stroke-width": width, "stroke-linejoin": "round", "stroke-dasharray": dashes });
  return [path("#fff", 4.5, "none"), path(colour, 2, dashes),
    svg("circle", { cx, cy, r: 4.5, fill: colour, stroke: "#fff" }),
    svg("text", { x, y, fill: "#1f2d3a", "font-size": 13, "text-anchor": anchor,
      stroke: "#fff", "stroke-width": 3, "paint-order": "stroke" }, name)];
}

function render({ model, el }) {
  const [looks, rates, all] = ["looks", "rates", "tracks"].map((name) => model.get(name));
  const names = Object.keys(looks);
  const [left, top, width, height, end] = model.get("chart");
  const tracks = () => all[model.get("rate_index")];
  const rated = () => Number(rates[model.get("rate_index")].toPrecision(3));
  const step = () => Math.max(0, Math.min(end, model.get("index")));
  const said = (name) => `${name}: ${tracks()[name]?.words[step()] ?? "did not run at this rate"}`;

  const root = make("div", "minidl-view minidl-surface");
  const [choice, bar, map, caption] = ["choice", "bar", "map", "caption"]
    .map((name) => make("div", name));
  choice.setAttribute("role", "group");
  choice.setAttribute("aria-label", "optimisers shown");
  caption.setAttribute("aria-live", "polite");
  map.innerHTML = model.get("background");
  const layer = svg("g", {});
  map.querySelector("svg").append(layer);

  function set(name, value) {
    model.set(name, value);
    model.save_changes();
  }
  function toggle(name) {
    const shown = model.get("shown");
    set("shown", names.filter((n) => (n === name) !== shown.includes(n)));
  }
  for (const name of names) {
    const made = button(name, name, () => toggle(name));
    const sample = svg("svg", { width: 30, height: 10, "aria-hidden": true });
    const [stroke, dashes] = looks[name];
    sample.append(svg("path", { d: "M0,5H30", stroke, "stroke-width": 2.5,
      "stroke-dasharray": dashes }));
    made.prepend(sample);
    choice.append(made);
  }
  const rate = make("span", "rate");
  const slider = range("learning rate", rates.length - 1, (index) => set("rate_index", index));
  bar.append(rate, ...(rates.length > 1 ? [slider] : []));

  function show() {
    const shown = model.get("shown");
    const now = left + (width * step()) / Math.max(end, 1);
    const shapes = lines(tracks(), shown, step()).map((line) => drawn(line, looks[line[0]]));
    // All white edges first, so that they cover no line.
    layer.replaceChildren(
      svg("path", { d: `M${now},${top}v${height}`, stroke: "#50606e", "stroke-dasharray": "2 3" }),
      ...[0, 1, 2, 3].flatMap((part) => shapes.map((shape) => shape[part])));
    names.forEach((name, i) =>
      choice.children[i].setAttribute("aria-pressed", shown.includes(name)));
    slider.value = model.get("rate_index");
    slider.setAttribute("aria-valuetext", rated());
    rate.textContent = `learning rate ${rated()}`;
    caption.replaceChildren(...names.filter((name) => shown.includes(name))
      .map((name) => make("div", "", said(name))));
  }
  const say = (index) => [`${index} / ${end}`, `step ${index} of ${end}`];
  const [steps, close] = stepper({ model, root, name: "step", end, say });
  root.append(make("style", "", LOOK + STYLE), choice, bar, map, steps, caption);
  const traits = ["shown", "rate_index", "index"].map((name) => `change:${name}`);
  for (const trait of traits) model.on(trait, show);
  show();
  el.append(root);
  return () => {
    close();
    for (const trait of traits) model.off(trait, show);
  };
}

export default { render };
