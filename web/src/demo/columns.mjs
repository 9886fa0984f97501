/**
 * Two columns, or one on a phone: whoever walks the page by keyboard goes in the order that is seen.
 *
 * The style sheet has shown each card in its place since before this ran; here the elements follow.
 */

/** As in demo.css. */
const PHONE = "(max-width: 780px)";
/** The cards of one column, from the top: the answer comes right after its question. */
const ORDER = [".ask", ".said-of", ".times-of", ".verify", ".use"];

/** @param {Element} main with two columns of cards */
export function arranged(main) {
  const columns = [...main.children].map((column) => ({ column, cards: [...column.children] }));
  const cards = ORDER.flatMap((name) => main.querySelector(name) ?? []);
  const narrow = matchMedia(PHONE);
  const arrange = () => {
    const focused = document.activeElement;
    if (narrow.matches) main.append(...cards);
    else for (const one of columns) one.column.append(...one.cards);
    // What is moved loses the focus.
    if (focused instanceof HTMLElement && main.contains(focused)) focused.focus({ preventScroll: true });
  };
  narrow.addEventListener("change", arrange);
  arrange();
}
