/** Making and keeping elements. Text is only ever set as text, so nothing that a peer says becomes markup. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * The element of this page with an id.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`expected an element #${id} in index.html`);
  return element;
}

/**
 * `h("td", { class: "num" }, "12")`
 * @param {string} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/**
 * The same for SVG.
 * @param {string} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {SVGElement}
 */
export function s(tag, attributes = {}, ...children) {
  return filled(/** @type {SVGElement} */ (document.createElementNS(SVG, tag)), attributes, children);
}

/**
 * @template {Element} E
 * @param {E} element
 * @param {Record<string, string>} attributes
 * @param {readonly (Node | string)[]} children
 * @returns {E}
 */
function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * Makes the children of a parent those of the items, in order. A child whose key stays is kept, and with it the focus; it
 * is only filled anew when what it shows has changed.
 * @template T
 * @param {Element} parent
 * @param {readonly T[]} items
 * @param {{ key: (item: T) => string, make: () => Element, fill: (element: Element, item: T) => void }} how
 */
export function keep(parent, items, { key, make, fill }) {
  const old = new Map([...parent.children].map((child) => [child.getAttribute("data-key"), child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    const child = old.get(name) ?? make();
    old.delete(name);
    child.setAttribute("data-key", name);
    const shown = JSON.stringify(item);
    if (shownBy.get(child) !== shown) {
      shownBy.set(child, shown);
      fill(child, item);
    }
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
  }
  for (const child of old.values()) child.remove();
}

/** @type {WeakMap<Element, string>} */
const shownBy = new WeakMap();

/**
 * Sets a text only when it is another one: a screen reader would read it again.
 * @param {Element} element
 * @param {string} text
 */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * A colour of style.css as the browser now sees it, for what is drawn on a canvas.
 * @param {string} name such as `accent`
 * @returns {string}
 */
export function colour(name) {
  const probe = h("span");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/**
 * Left, right, home and end move through `count` places; the answer is the new place, undefined for other keys.
 * @param {KeyboardEvent} event
 * @param {number} place
 * @param {number} count
 * @returns {number | undefined}
 */
export function moved(event, place, count) {
  const steps = { ArrowLeft: place - 1, ArrowRight: place + 1, Home: 0, End: count - 1 };
  const next = steps[/** @type {keyof typeof steps} */ (event.key)];
  if (next === undefined || count === 0) return undefined;
  event.preventDefault();
  return Math.min(count - 1, Math.max(0, next));
}
