// A slider for each dial over pictures that were made beforehand, one for each setting.

const STYLE = `
.minidl-dials .frame svg { display: block; margin: auto; height: auto; max-width: 100%; }
.minidl-dials .name { min-width: 11em; }
.minidl-dials .count { min-width: 5em; }
.minidl-dials .caption { margin-top: 8px; line-height: 1.4; }
`;

// The number of a setting, in the order in which the last dial turns fastest.
export function place(chosen, labels) {
  return chosen.reduce((at, i, dial) => at * labels[dial].length + i, 0);
}

function render({ model, el }) {
  const [names, labels] = [model.get("names"), model.get("labels")];
  const [frames, captions] = [model.get("frames"), model.get("captions")];
  const root = make("div", "minidl-view minidl-dials");
  const [frame, caption] = ["frame", "caption"].map((name) => make("div", name));
  caption.setAttribute("aria-live", "polite");

  function turn(dial, to) {
    model.set("chosen", model.get("chosen").map((old, i) => (i === dial ? to : old)));
    model.save_changes();
  }
  const dials = names.map((name, i) => {
    const bar = make("div", "bar");
    const slider = range(name, labels[i].length - 1, (to) => turn(i, to));
    const count = make("span", "count");
    bar.append(make("span", "name", name), slider, count);
    return { bar, slider, count };
  });
  function show() {
    const chosen = model.get("chosen");
    dials.forEach(({ slider, count }, i) => {
      slider.value = chosen[i];
      slider.setAttribute("aria-valuetext", labels[i][chosen[i]]);
      count.textContent = labels[i][chosen[i]];
    });
    frame.innerHTML = frames[place(chosen, labels)];
    caption.textContent = captions[place(chosen, labels)];
  }
  function keys(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const path = event.composedPath();
    const at = dials.findIndex(({ slider }) => path.includes(slider));
    if (!by || at < 0) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const to = model.get("chosen")[at] + by;
    if (to >= 0 && to < labels[at].length) turn(at, to);
  }
  root.append(make("style", "", LOOK + STYLE), frame, ...dials.map(({ bar }) => bar), caption);
  model.on("change:chosen", show);
  // At the window, because a notebook takes the arrow keys on their way down.
  window.addEventListener("keydown", keys, true);
  show();
  el.append(root);
  return () => {
    model.off("change:chosen", show);
    window.removeEventListener("keydown", keys, true);
  };
}

export default { render };
