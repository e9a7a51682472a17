// A strided view of a flat buffer: point at an element and see which place it reads.

const STYLE = `
.minidl-strides { font-family: system-ui, sans-serif; color: #1f2d3a; max-width: 760px;
  background: #fff; border: 1px solid #b8c4ce; border-radius: 10px; padding: 14px; }
.minidl-strides h4 { margin: 10px 0 4px; font-size: 14px; font-weight: 600; }
.minidl-strides .cells { display: grid; gap: 3px; justify-content: start; }
.minidl-strides .cell { width: 34px; height: 34px; line-height: 34px; text-align: center;
  font-size: 13px; border-radius: 5px; border: 2px solid #fff; box-sizing: content-box;
  font-variant-numeric: tabular-nums; }
.minidl-strides .unread { opacity: 0.35; }
.minidl-strides .lit { border-color: #d9622b; }
.minidl-strides .planes { display: flex; flex-wrap: wrap; gap: 16px; }
.minidl-strides button { font: inherit; font-size: 14px; padding: 6px 10px; margin: 0 6px 6px 0;
  color: #1f2d3a; background: #eef2f5; border: 1px solid #6b7c8c; border-radius: 6px;
  cursor: pointer; }
.minidl-strides button:disabled { opacity: 0.4; cursor: default; }
.minidl-strides .read { min-height: 1.6em; font-size: 14px; margin-top: 8px; }
.minidl-strides code { background: #eef2f5; padding: 1px 5px; border-radius: 4px; }
`;

// The moves: each takes {shape, strides, offset} to another reading of the same buffer,
// or to null where it makes no sense.
const last = (list) => list.length - 1;
const change = (list, i, value) => list.map((old, k) => (k === i ? value : old));

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

function shade(value, low, high) {
  const t = high > low ? (value - low) / (high - low) : 0.3;
  return `hsl(207 28% ${94 - 46 * t}%)`;
}

function render({ model, el }) {
  const root = document.createElement("div");
  root.className = "minidl-strides";
  const buffer = model.get("buffer");
  const [low, high] = [Math.min(...buffer), Math.max(...buffer)];
  const state = () => ({
    shape: model.get("shape"), strides: model.get("strides"), offset: model.get("offset") });
  const start = state();

  function set(next) {
    for (const [key, value] of Object.entries(next)) model.set(key, value);
    model.save_changes();
    draw();
  }
  function cell(place, words, name) {
    const made = document.createElement("div");
    made.className = "cell";
    made.textContent = words;
    made.style.background = shade(buffer[place], low, high);
    made.dataset.place = place;
    made.setAttribute("aria-label", name);
    return made;
  }
  function grid(cells, columns) {
    const made = document.createElement("div");
    made.className = "cells";
    made.style.gridTemplateColumns = `repeat(${columns}, 38px)`;
    made.append(...cells);
    return made;
  }
  function heading(words) {
    const made = document.createElement("h4");
    made.textContent = words;
    return made;
  }
  function tell(words) { root.querySelector(".read").innerHTML = words; }

  function light(index, place) {
    const { strides, offset } = state();
    for (const each of root.querySelectorAll(".cell")) {
      each.classList.toggle("lit", Number(each.dataset.place) === place);
    }
    const terms = index.map((n, k) => `${n}·${strides[k]}`).join(" + ");
    tell(`element <code>[${index.join(", ")}]</code> is at <code>${offset} + ${terms}
      = ${place}</code>`);
  }
  function draw() {
    const now = state();
    const read = places(now);
    const used = new Set(read.map(([, place]) => place));
    const flat = buffer.map((_, i) => {
      const made = cell(i, i, `buffer place ${i}`);
      if (!used.has(i)) made.classList.add("unread");
      return made;
    });
    const inner = now.shape[last(now.shape)];
    const plane = now.shape.length > 2 ? inner * now.shape[1] : read.length;
    const planes = document.createElement("div");
    planes.className = "planes";
    const shown = read.map(([index, place]) => {
      const made = cell(place, place, `element ${index.join(", ")}, place ${place}`);
      made.tabIndex = 0;
      for (const event of ["mouseenter", "focus"]) {
        made.addEventListener(event, () => light(index, place));
      }
      return made;
    });
    for (let i = 0; i < shown.length; i += plane) {
      planes.append(grid(shown.slice(i, i + plane), inner));
    }
    const bar = document.createElement("div");
    for (const [name, move] of Object.entries(MOVES)) {
      const made = document.createElement("button");
      const next = move(now);
      made.textContent = name;
      made.disabled = next === null || next.shape.reduce((a, b) => a * b, 1) > 200;
      made.addEventListener("click", () => set(next));
      bar.append(made);
    }
    const reset = document.createElement("button");
    reset.textContent = "reset";
    reset.addEventListener("click", () => set(start));
    bar.append(reset);
    root.innerHTML = `<style>${STYLE}</style>`;
    const text = document.createElement("div");
    text.innerHTML = `shape <code>(${now.shape.join(", ")})</code> strides
      <code>(${now.strides.join(", ")})</code> offset <code>${now.offset}</code>,
      bytes copied: <code>0</code>`;
    const line = document.createElement("div");
    line.className = "read";
    line.setAttribute("aria-live", "polite");
    line.textContent = "Point at an element of the view.";
    const columns = Math.min(16, Math.max(4, Math.floor((el.clientWidth || 700) / 42) - 1));
    root.append(bar, text, heading("the view: each element shows the place it reads"),
      planes, line, heading("the buffer, as it lies in memory"), grid(flat, columns));
  }
  model.on("change:shape change:strides change:offset", draw);
  el.append(root);
  draw();
}

export default { render };
