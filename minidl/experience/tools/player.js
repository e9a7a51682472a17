// A slider, step and play buttons over frames that were made beforehand.

const STYLE = `
.minidl-player { font-family: system-ui, sans-serif; color: #1f2d3a; max-width: 760px;
  background: #fff; border: 1px solid #b8c4ce; border-radius: 10px; padding: 12px; }
.minidl-player .frame svg { max-width: 100%; height: auto; display: block; margin: auto; }
.minidl-player .bar { display: flex; gap: 8px; align-items: center; margin-top: 8px; }
.minidl-player button { font: inherit; min-width: 40px; height: 34px; cursor: pointer;
  color: #1f2d3a; background: #eef2f5; border: 1px solid #6b7c8c; border-radius: 6px; }
.minidl-player input { flex: 1; accent-color: #d9622b; min-width: 60px; }
.minidl-player .caption { min-height: 2.8em; margin-top: 6px; line-height: 1.4; }
`;

function button(words, name, action) {
  const made = document.createElement("button");
  made.textContent = words;
  made.setAttribute("aria-label", name);
  made.addEventListener("click", action);
  return made;
}

function render({ model, el }) {
  const root = document.createElement("div");
  root.className = "minidl-player";
  root.innerHTML = `<style>${STYLE}</style><div class="frame"></div><div class="bar">
    </div><div class="caption" aria-live="polite"></div>`;
  const [frame, bar, caption] = [".frame", ".bar", ".caption"].map((name) =>
    root.querySelector(name),
  );
  const frames = model.get("frames");
  const slider = document.createElement("input");
  Object.assign(slider, { type: "range", min: 0, max: frames.length - 1, step: 1 });
  slider.setAttribute("aria-label", "frame");
  const count = document.createElement("span");
  let timer = null;

  function show() {
    const index = model.get("index");
    frame.innerHTML = frames[index];
    caption.textContent = model.get("captions")[index];
    slider.value = index;
    count.textContent = `${index + 1} / ${frames.length}`;
  }
  function go(index) {
    model.set("index", Math.max(0, Math.min(frames.length - 1, index)));
    model.save_changes();
    show();
  }
  function stop() {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  }
  function toggle() {
    if (timer) return stop();
    if (model.get("index") === frames.length - 1) go(0);
    play.textContent = "Pause";
    timer = setInterval(() => {
      go(model.get("index") + 1);
      if (model.get("index") === frames.length - 1) stop();
    }, model.get("interval"));
  }
  const play = button("Play", "play or pause", toggle);
  const step = (by) => () => { stop(); go(model.get("index") + by); };
  slider.addEventListener("input", () => { stop(); go(Number(slider.value)); });
  bar.append(button("◀", "one back", step(-1)), play,
    button("▶", "one on", step(1)), slider, count);
  model.on("change:index", show);
  show();
  // All frames take the height of the tallest, so that nothing below jumps.
  requestAnimationFrame(() => {
    const ratios = frames.map((svg) => {
      const [, , width, height] = (/viewBox="([^"]*)"/.exec(svg)?.[1] ?? "0 0 1 1").split(" ");
      return [Number(width), Number(height)];
    });
    const wide = Math.max(...ratios.map(([width]) => width));
    const tall = Math.max(...ratios.map(([, height]) => height));
    frame.style.minHeight = `${tall * Math.min(1, frame.clientWidth / wide)}px`;
  });
  el.append(root);
  return stop;
}

export default { render };
