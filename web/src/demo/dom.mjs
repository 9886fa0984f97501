/**
 * Elements, made without HTML in strings: a page under a strict policy, and names that anybody chose.
 *
 * @typedef {Node | string | null | undefined | false} Inside
 * @typedef {Record<string, string | number | boolean | null | undefined | ((event: any) => unknown)>} About
 */

const DRAWN = "http://www.w3.org/2000/svg";

/**
 * An element. What is a function is a listener, true is an attribute without a value, false and
 * undefined are none.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {About} [about]
 * @param {...Inside} inside
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, about = {}, ...inside) {
  const made = document.createElement(tag);
  dress(made, about);
  fill(made, ...inside);
  return made;
}

/**
 * The same for a drawing.
 *
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {About} [about]
 * @param {...Inside} inside
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function draw(tag, about = {}, ...inside) {
  const made = /** @type {SVGElementTagNameMap[Tag]} */ (document.createElementNS(DRAWN, tag));
  dress(made, about);
  fill(made, ...inside);
  return made;
}

/**
 * Puts these in place of what is in there.
 *
 * @param {Element} element
 * @param {...Inside} inside
 */
export function fill(element, ...inside) {
  element.replaceChildren(...inside.flatMap((one) => (one || one === "" ? [one] : [])));
}

/**
 * The element of the page with that id. Throws where the page has none.
 *
 * @param {string} id
 */
export function part(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}

/**
 * Widths and colours go through the object model: a policy without inline style allows that.
 *
 * @template {HTMLElement | SVGElement} Kind
 * @param {Kind} element
 * @param {Record<string, string>} style
 * @returns {Kind}
 */
export function styled(element, style) {
  for (const [name, value] of Object.entries(style)) element.style.setProperty(name, value);
  return element;
}

/**
 * @param {Element} element
 * @param {About} about
 */
function dress(element, about) {
  for (const [name, value] of Object.entries(about)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== null) {
      element.setAttribute(name, String(value));
    }
  }
}
