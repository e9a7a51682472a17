// What our views share: their look, elements, and a bar to step and play with.

const LOOK = `
.minidl-view { font-family: system-ui, sans-serif; color: #1f2d3a; max-width: 760px;
  background: #fff; border: 1px solid #b8c4ce; border-radius: 10px; padding: 12px;
  box-sizing: border-box; font-size: 15px; }
.minidl-view .bar { display: flex; gap: 8px; align-items: center; margin-top: 8px; }
.minidl-view button { font: inherit; min-width: 40px; height: 34px; cursor: pointer;
  color: #1f2d3a; background: #eef2f5; border: 1px solid #50606e; border-radius: 6px; }
.minidl-view button.play { min-width: 64px; }
.minidl-view input { flex: 1; accent-color: #d9622b; min-width: 60px; }
.minidl-view .count { min-width: 4em; text-align: right; }
`;

function make(name, className = "", words = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = words;
  return made;
}

function button(words, name, action, className = "") {
  const made = make("button", className, words);
  made.type = "button";
  made.setAttribute("aria-label", name);
  made.addEventListener("click", action);
  return made;
}

function range(name, end, action) {
  const made = make("input");
  Object.assign(made, { type: "range", min: 0, max: end, step: 1 });
  made.setAttribute("aria-label", name);
  made.addEventListener("input", () => action(Number(made.value)));
  return made;
}

// A bar over the trait `index`, 0 to `end`, whose slider is called `name`; `say` puts a
// place in words, [short ones to see, words to hear]. The arrow keys inside `root` move
// the slider that has the focus, or this one. Returns [bar, what to call at the end].
function stepper({ model, root, name, end, say }) {
  let timer = null;
  const within = (index) => Math.max(0, Math.min(end, index));
  const at = () => within(model.get("index"));
  function go(index) {
    model.set("index", within(index));
    model.save_changes();
  }
  function stop() {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  }
  function toggle() {
    if (timer) return stop();
    if (at() >= end) go(0);
    play.textContent = "Pause";
    timer = setInterval(() => {
      go(at() + 1);
      if (at() >= end) stop();
    }, model.get("interval"));
  }
  function step(by) {
    stop();
    go(at() + by);
  }
  function keys(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const path = event.composedPath();
    if (!by || !path.includes(root)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (path[0].type !== "range" || path[0] === slider) return step(by);
    path[0].value = Number(path[0].value) + by;
    path[0].dispatchEvent(new Event("input"));
  }
  function show() {
    slider.value = at();
    const [seen, heard] = say(at());
    slider.setAttribute("aria-valuetext", heard);
    count.textContent = seen;
  }
  const play = button("Play", "play or pause", toggle, "play");
  const slider = range(name, end, (index) => { stop(); go(index); });
  const [bar, count] = [make("div", "bar"), make("span", "count")];
  bar.append(button("◀", "one back", () => step(-1)), play,
    button("▶", "one on", () => step(1)), slider, count);
  model.on("change:index", show);
  // At the window, because a notebook takes the arrow keys on their way down.
  window.addEventListener("keydown", keys, true);
  show();
  return [bar, () => {
    stop();
    model.off("change:index", show);
    window.removeEventListener("keydown", keys, true);
  }];
}
