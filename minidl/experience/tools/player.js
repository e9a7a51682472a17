// A slider, step and play buttons over frames that were made beforehand.

const STYLE = `
.minidl-player .frame { margin: auto; max-width: 100%; }
.minidl-player .frame svg { display: block; margin: auto; height: auto; max-width: 100%; }
.minidl-player .captions { display: grid; margin-top: 6px; line-height: 1.4; }
.minidl-player .captions > * { grid-area: 1 / 1; min-height: 1.4em; }
.minidl-player .room { visibility: hidden; }
`;

// [width, height] of an SVG string in pixels, as its viewBox and unit say.
export function size(svg) {
  const [, , width, height] = (/viewBox="([^"]*)"/.exec(svg)?.[1] ?? "0 0 600 400")
    .trim().split(/[\s,]+/).map(Number);
  const scale = /<svg[^>]*\swidth="[\d.]+pt"/.test(svg) ? 4 / 3 : 1;
  return [width * scale, height * scale];
}

function render({ model, el }) {
  const [frames, captions] = [model.get("frames"), model.get("captions")];
  const end = frames.length - 1;
  const sizes = frames.map(size);
  const widest = Math.max(...sizes.map(([width]) => width));
  const tallest = Math.max(...sizes.map(([, height]) => height));

  const root = make("div", "minidl-view minidl-player");
  const [frame, lines, caption] = ["frame", "captions", "caption"]
    .map((name) => make("div", name));
  // One size for all frames, and room for the longest caption: nothing below jumps.
  Object.assign(frame.style, { width: `${widest}px`, aspectRatio: `${widest} / ${tallest}` });
  caption.setAttribute("aria-live", "polite");
  lines.append(caption, ...captions.map((words) => make("div", "room", words)));
  for (const room of lines.querySelectorAll(".room")) room.setAttribute("aria-hidden", "true");

  function show() {
    const index = Math.max(0, Math.min(end, model.get("index")));
    frame.innerHTML = frames[index];
    frame.querySelector("svg").style.width = `${(100 * sizes[index][0]) / widest}%`;
    caption.textContent = captions[index];
  }
  const say = (index) => [`${index + 1} / ${end + 1}`,
    `${index + 1} of ${end + 1}: ${captions[index]}`];
  const [bar, close] = stepper({ model, root, name: "frame", end, say });
  root.append(make("style", "", LOOK + STYLE), frame, bar, lines);
  model.on("change:index", show);
  show();
  el.append(root);
  return () => {
    close();
    model.off("change:index", show);
  };
}

export default { render };
