"""The base of the widgets: our JavaScript, and a still picture where none runs."""


def make_widget_class(name, script, **traits):
    """A widget class with the module `script` as its view and `traits` as its state.

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

    body = {"_esm": script.read_text("utf-8"), "still": "", "_repr_mimebundle_": bundle}
    return type(name, (AnyWidget,), {**body, **traits})
