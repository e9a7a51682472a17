// Names that the theme's elements lack or contradict, for those who hear the page.
const NAMES = [ // where, attribute, its value, or null for none
  [".search-button-field, summary[aria-label]", "aria-label", null], // has words inside
  [".theme-switch-button", "aria-label", "Color mode: Light, Dark or System Settings"],
  [".citation-list", "role", null], // what is in it says itself what it is
];

document.addEventListener("DOMContentLoaded", () => {
  for (const [where, attribute, value] of NAMES) {
    for (const element of document.querySelectorAll(where)) {
      if (value === null) element.removeAttribute(attribute);
      else element.setAttribute(attribute, value);
    }
  }
});
