"""The base of the widgets: our JavaScript, and a still picture where none runs."""

from importlib.resources import files


def source(*scripts):
    """The text of `scripts`, files beside this one, as one module of JavaScript."""
    return "\n".join((files(__package__) / s).read_text("utf-8") for s in scripts)


def make_widget_class(name, script, **traits):
    """A widget class with `traits` as its state, and `script` as its view.

    The view may use what controls.js has.
    Set `still`, an SVG string, on an instance: viewers without widgets show that.
    Raises ImportError that says what to install.
    """
    try:
        from anywidget import AnyWidget
    except ImportError:
        raise ImportError(
            "interactive views need anywidget: pip install anywidget"
        ) from None

    def bundle(self, **kwargs):
        shown = AnyWidget._repr_mimebundle_(self, **kwargs)
        data, metadata = shown if isinstance(shown, tuple) else (shown, {})
        words = {"text/plain": name, "image/svg+xml": self.still}
        return {**(data or {}), **words}, metadata

    body = {
        "_esm": source("controls.js", script),
        "still": "",
        "_repr_mimebundle_": bundle,
    }
    return type(name, (AnyWidget,), {**body, **traits})
