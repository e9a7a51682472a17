// As much of a browser as our views touch: elements that keep what they are given, keys
// that reach the window, and a widget's model.
class Element {
  constructor(name) {
    Object.assign(this, { name, text: "", children: [], words: {}, heard: {} });
    Object.assign(this, { style: {}, dataset: {} });
  }
  get textContent() { return this.text + this.children.map((c) => c.textContent).join(" "); }
  set textContent(text) { this.text = text; this.children = []; }
  append(...more) { this.children.push(...more); }
  prepend(...more) { this.children.unshift(...more); }
  replaceChildren(...all) { this.children = all; }
  setAttribute(key, value) { this.words[key] = value; }
  addEventListener(name, action) { this.heard[name] = action; }
  dispatchEvent(event) { this.heard[event.type]?.(event); }
  all() { return this.children.flatMap((child) => [child, ...child.all()]); }
  find(key, value) { return this.all().find((e) => e.words[key] === value); }
  querySelector(name) { return (this.found ??= new Element(name)); }
  querySelectorAll() { return []; }
}
globalThis.document = {
  createElement: (name) => new Element(name), createElementNS: (_, name) => new Element(name) };
globalThis.window = new Element("window");
window.removeEventListener = (name) => delete window.heard[name];
const press = (key, ...path) => window.heard.keydown({ key, composedPath: () => path,
  preventDefault() {}, stopImmediatePropagation() {} });
function view(state) {
  const heard = new Map();
  const model = { get: (name) => state[name], save_changes() {},
    on: (name, action) => heard.set(name, [...(heard.get(name) ?? []), action]),
    off: (name) => heard.delete(name),
    set(name, value) {
      state[name] = value;
      for (const action of heard.get(`change:${name}`) ?? []) action();
    } };
  const el = new Element("div");
  const close = m.default.render({ model, el });
  return { root: el.children[0], state, close, heard };
}
const tell = (told) => console.log(JSON.stringify(told));
