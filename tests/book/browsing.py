"""What a browser sees of one page: errors, requests, pictures, findings, widths."""

from urllib.parse import urlsplit

PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
SETTLED = """async () => {
  await window.MathJax?.startup?.promise;
  const views = 'script[type="application/vnd.jupyter.widget-view+json"]';
  const wanted = document.querySelectorAll(views).length;
  for (let i = 0; i < 80; i++) {
    if (document.querySelectorAll(".minidl-view").length >= wanted) break;
    await new Promise((done) => setTimeout(done, 50));
  }
  return wanted;
}"""
SEEN = """() => {
  const all = (what) => [...document.querySelectorAll(what)];
  const named = (e) => e.getAttribute("aria-label") || e.querySelector("title");
  const hidden = (e) => e.closest('[aria-hidden="true"]');
  return {
    formulas: all("span.math, div.math").length,
    equations: all("mjx-container").length,
    broken: all("mjx-merror, .MathJax_Error").length,
    views: all(".minidl-view").length,
    images: all("img").map((e) => [e.getAttribute("src"), e.getAttribute("alt")]),
    unnamed: all("svg:not(mjx-container svg)").filter((e) => !hidden(e) && !named(e))
      .length,
    text: document.querySelector("article, main")?.textContent ?? "",
  };
}"""
WIDTH = (
    "[document.documentElement].map((page) => page.scrollWidth - page.clientWidth)[0]"
)
AXE = """async (options) => (await axe.run(document, options)).violations
  .filter((found) => ["serious", "critical"].includes(found.impact))
  .map((found) => [found.id, found.nodes.slice(0, 4).map((n) => n.html)])"""
RULES = {"light": None, "dark": ["color-contrast"]}  # only colours differ
PAINT = "(theme) => { document.documentElement.dataset.theme = theme; }"
PICTURE = ".frame, .map, .planes"


def look_at(page, address, axe):
    """The facts of one page, as a dict."""
    errors, requests = [], []

    def keep_error(message):
        if message.type == "error":
            errors.append(message.text)

    def keep_failure(error):
        errors.append(str(error))

    def keep_request(request):
        requests.append(request.url)

    heard = {"console": keep_error, "pageerror": keep_failure, "request": keep_request}
    for event, keep in heard.items():
        page.on(event, keep)
    page.set_viewport_size(DESKTOP)
    page.goto(address, wait_until="load")
    wanted = page.evaluate(SETTLED)
    seen = {"wanted": wanted, **page.evaluate(SEEN), "moved": moved(page)}
    page.evaluate(axe)
    page.add_style_tag(content="* { transition: none !important; }")
    for theme, rules in RULES.items():
        page.evaluate(PAINT, theme)
        only = {"runOnly": {"type": "rule", "values": rules}} if rules else {}
        seen[theme] = page.evaluate(AXE, {"resultTypes": ["violations"], **only})
    page.set_viewport_size(PHONE)
    seen["sticks_out"] = page.evaluate(WIDTH)
    for event, keep in heard.items():
        page.remove_listener(event, keep)
    return {**seen, "errors": errors, "foreign": foreign(address, requests)}


def foreign(address, requests):
    """The requests that went to another origin than the page's own."""
    own = urlsplit(address).netloc
    return [
        url
        for url in requests
        if urlsplit(url).scheme in ("http", "https", "ws", "wss")
        and urlsplit(url).netloc != own
    ]


def moved(page):
    """For each view of a page, whether its slider, or a button, changed its picture."""
    return [changes(view) for view in page.locator(".minidl-view").all()]


def changes(view):
    picture = view.locator(PICTURE).first
    before = picture.screenshot()
    slider = view.locator("input[type=range]").last
    if slider.count():
        end = slider.get_attribute("max")
        slider.fill("0" if slider.input_value() == end else end)
    else:
        view.locator("button:not([aria-disabled=true])").first.click()
    return picture.screenshot() != before
