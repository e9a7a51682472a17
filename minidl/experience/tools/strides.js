// A strided view of a flat buffer: point at an element and see which place it reads.

const STYLE = `
.minidl-strides h4 { margin: 10px 0 4px; font-size: 14px; font-weight: 600; color: inherit; }
.minidl-strides .cells { display: grid; gap: 3px; justify-content: start; }
.minidl-strides .flow { grid-template-columns: repeat(auto-fill, 38px); max-width: 653px; }
.minidl-strides .cell { width: 34px; height: 34px; line-height: 34px; text-align: center;
  font-size: 13px; border-radius: 5px; border: 2px solid #fff; box-sizing: content-box;
  font-variant-numeric: tabular-nums; }
.minidl-strides .unread { opacity: 0.6; border: 2px dashed #50606e; }
.minidl-strides .lit { border-color: #d9622b; }
.minidl-strides .planes { display: flex; flex-wrap: wrap; gap: 16px; overflow-x: auto;
  padding: 2px 0; }
.minidl-strides .planes .flow { width: 100%; }
.minidl-strides button { font-size: 14px; padding: 0 10px; margin: 0 6px 6px 0; }
.minidl-strides button[aria-disabled="true"] { opacity: 0.5; cursor: default; }
.minidl-strides .read { min-height: 1.6em; margin-top: 8px; }
.minidl-strides code { background: #eef2f5; color: inherit; padding: 1px 5px;
  border-radius: 4px; }
`;
const LARGEST = 200; // elements of a view that is drawn

// The moves: each takes {shape, strides, offset} to another reading of the same buffer,
// or to null where it makes no sense.
const last = (list) => list.length - 1;
const change = (list, i, value) => list.map((old, k) => (k === i ? value : old));
const elements = (shape) => shape.reduce((a, b) => a * b, 1);

export const MOVES = {
  transpose: ({ shape, strides, offset }) => {
    const swap = (list) => [...list.slice(0, -2), list[last(list)], list[last(list) - 1]];
    return shape.length < 2 ? null : { shape: swap(shape), strides: swap(strides), offset };
  },
  "every second": ({ shape, strides, offset }) => {
    const i = last(shape);
    return shape[i] < 2 ? null : {
      shape: change(shape, i, Math.ceil(shape[i] / 2)),
      strides: change(strides, i, strides[i] * 2), offset };
  },
  "drop the first": ({ shape, strides, offset }) =>
    shape[0] < 2 ? null : {
      shape: change(shape, 0, shape[0] - 1), strides, offset: offset + strides[0] },
  broadcast: ({ shape, strides, offset }) =>
    shape.length > 2 ? null : { shape: [3, ...shape], strides: [0, ...strides], offset },
  windows: ({ shape, strides, offset }) => {
    const i = last(shape);
    return shape.length > 2 || shape[i] < 3 ? null : {
      shape: [...change(shape, i, shape[i] - 2), 3],
      strides: [...strides, strides[i]], offset };
  },
};

// The buffer place of every element, in order of its index.
export function places({ shape, strides, offset }) {
  let found = [[]];
  for (const size of shape) {
    found = found.flatMap((index) => Array.from({ length: size }, (_, i) => [...index, i]));
  }
  return found.map((index) => [index, index.reduce((sum, n, k) => sum + n * strides[k], offset)]);
}

// Why this reading of a buffer of `size` places can't be drawn, or null.
export function trouble({ shape, strides, offset }, size) {
  const [n, m] = [shape.length, strides.length];
  if (n !== m) return `The shape has ${n} numbers and the strides ${m}: give as many of both.`;
  if (n < 1 || n > 3) return `One to three dimensions can be drawn, this view has ${n}.`;
  const count = elements(shape);
  if (count > LARGEST) return `Up to ${LARGEST} elements can be drawn, this view has ${count}.`;
  const bad = places({ shape, strides, offset }).find(([, at]) => at < 0 || at >= size);
  return bad === undefined ? null
    : `Element [${bad[0].join(", ")}] would read place ${bad[1]}: the buffer has 0 to ${size - 1}.`;
}

// A tint between pale and deep, by where the value lies between low and high.
function shade(value, low, high) {
  const t = high > low ? (value - low) / (high - low) : 0.3;
  const mixed = [[238, 125], [242, 155], [245, 179]].map(([a, b]) => Math.round(a + t * (b - a)));
  return `rgb(${mixed.join(" ")})`;
}

function render({ model, el }) {
  const state = () => ({
    shape: model.get("shape"), strides: model.get("strides"), offset: model.get("offset") });
  const start = state();
  let moving = false; // between the parts of one move: not yet drawn
  let inner = 1; // elements in a row of the view

  const root = make("div", "minidl-view minidl-strides");
  const [bar, numbers, flat, view, read] = ["moves", "numbers", "cells flow", "planes", "read"]
    .map((name) => make("div", name));
  view.setAttribute("role", "group");
  view.setAttribute("aria-label", "the view; arrow keys walk through it");
  read.setAttribute("aria-live", "polite");

  function set(next) {
    moving = true;
    for (const [key, value] of Object.entries(next)) model.set(key, value);
    moving = false;
    model.save_changes();
    draw();
  }
  function cell(place, name) {
    const buffer = model.get("buffer");
    const made = make("div", "cell", place);
    made.style.background = shade(buffer[place], Math.min(...buffer), Math.max(...buffer));
    made.dataset.place = place;
    made.title = `value ${buffer[place]}`;
    made.setAttribute("role", "img");
    made.setAttribute("aria-label", `${name}, value ${buffer[place]}`);
    return made;
  }
  function element([index, place], i) {
    const made = cell(place, `element ${index.join(", ")} at place ${place}`);
    made.tabIndex = i === 0 ? 0 : -1; // one stop for the tab key, then the arrows
    for (const event of ["mouseenter", "focus"]) {
      made.addEventListener(event, () => light(index, place));
    }
    return made;
  }
  function light(index, place) {
    const { strides, offset } = state();
    for (const each of root.querySelectorAll(".cell")) {
      each.classList.toggle("lit", Number(each.dataset.place) === place);
    }
    const terms = index.map((n, k) => `${n}·${strides[k]}`).join(" + ");
    read.innerHTML = `element <code>[${index.join(", ")}]</code> is at
      <code>${offset} + ${terms} = ${place}</code>`;
  }
  function planes(shape, cells) {
    const size = shape.length < 3 ? cells.length : shape[1] * shape[2];
    const grids = [];
    for (let i = 0; i < cells.length; i += size) {
      const grid = make("div", shape.length < 2 ? "cells flow" : "cells");
      if (shape.length > 1) grid.style.gridTemplateColumns = `repeat(${inner}, 38px)`;
      grid.append(...cells.slice(i, i + size));
      grids.push(grid);
    }
    return grids;
  }
  function buttons(now, wrong) {
    for (const each of bar.children) {
      const next = each.move(now);
      const idle = wrong || next === null || elements(next.shape) > LARGEST;
      each.next = idle && next !== start ? null : next;
      // Not `disabled`: that would take the focus from whoever just pressed it.
      each.setAttribute("aria-disabled", each.next === null);
    }
  }
  function draw() {
    if (moving) return;
    const [now, size] = [state(), model.get("buffer").length];
    const wrong = trouble(now, size);
    const found = wrong ? [] : places(now);
    const used = new Set(found.map(([, place]) => place));
    inner = now.shape[last(now.shape)];
    numbers.innerHTML = `shape <code>(${now.shape.join(", ")})</code> strides
      <code>(${now.strides.join(", ")})</code> offset <code>${now.offset}</code>,
      bytes copied: <code>0</code>`;
    flat.replaceChildren(...Array.from({ length: size }, (_, place) => {
      const made = cell(place, `buffer place ${place}${used.has(place) ? "" : ", not read"}`);
      made.classList.toggle("unread", !used.has(place));
      return made;
    }));
    view.replaceChildren(...planes(now.shape, found.map(element)));
    read.textContent = wrong ?? "Point at an element of the view.";
    buttons(now, wrong);
  }
  function walk(event) {
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: inner, ArrowUp: -inner }[event.key];
    const path = event.composedPath();
    if (!by || !path.includes(view)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const cells = [...view.querySelectorAll(".cell")];
    const next = cells[cells.indexOf(path[0]) + by];
    if (!next) return;
    for (const each of cells) each.tabIndex = each === next ? 0 : -1;
    next.focus();
  }
  for (const [name, move] of Object.entries({ ...MOVES, reset: () => start })) {
    const made = button(name, name, () => made.next && set(made.next));
    made.move = move;
    bar.append(made);
  }
  root.append(make("style", "", LOOK + STYLE), bar, numbers,
    make("h4", "", "the buffer, as it lies in memory"), flat,
    make("h4", "", "the view: each element shows the place it reads"), view, read);
  const traits = ["shape", "strides", "offset", "buffer"].map((name) => `change:${name}`);
  for (const trait of traits) model.on(trait, draw);
  // At the window, because a notebook takes the arrow keys on their way down.
  window.addEventListener("keydown", walk, true);
  el.append(root);
  draw();
  return () => {
    for (const trait of traits) model.off(trait, draw);
    window.removeEventListener("keydown", walk, true);
  };
}

export default { render };
