// Loads the widget manager, and tells it where its parts are: beside this script.
const beside = (path) => new URL(path, document.currentScript.src).href;
const manager = document.createElement("script");
window.__jupyter_widgets_assets_path__ = beside("npm/@jupyter-widgets/html-manager/dist/");
requirejs.config({ paths: {
  anywidget: beside("anywidget"),
  "@jupyter-widgets/html-manager/dist": window.__jupyter_widgets_assets_path__.slice(0, -1),
} });
manager.dataset.jupyterWidgetsCdn = beside("npm/");
manager.src = beside("npm/@jupyter-widgets/html-manager/dist/embed-amd.js");
document.head.append(manager);
