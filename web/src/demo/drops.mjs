/**
 * How a file comes in: dropped, chosen or pasted.
 *
 * @typedef {{name: string, blob: Blob}} Given
 */

import { make } from "./dom.mjs";

/**
 * A zone for files of one kind. The same file can be chosen twice.
 *
 * @param {{id: string, accept: string, said: string, more: string, give: (files: Given[]) => void}} about
 */
export function zone({ id, accept, said, more, give }) {
  const input = make("input", {
    type: "file", id, accept, multiple: true, class: "unseen",
    change: () => {
      const files = [...(input.files ?? [])].map((file) => ({ name: file.name, blob: file }));
      // Otherwise choosing the same file once more is no change.
      input.value = "";
      if (files.length > 0) give(files);
    },
  });
  const label = make(
    "label",
    { class: "zone", for: id },
    make("span", { class: "call" }, said),
    make("span", { class: "quiet" }, more),
  );
  const over = (/** @type {boolean} */ is) => label.classList.toggle("over", is);
  const element = make("div", { class: "drop", dragenter: () => over(true), dragleave: (/** @type {DragEvent} */ event) => {
    if (!(event.relatedTarget instanceof Node && element.contains(event.relatedTarget))) over(false);
  }, drop: (/** @type {DragEvent} */ event) => {
    event.preventDefault();
    over(false);
    const files = [...(event.dataTransfer?.files ?? [])].map((file) => ({ name: file.name, blob: file }));
    if (files.length > 0) give(files);
  } }, input, label);
  return element;
}

/** A file that misses its zone must not replace the page. */
export function holdThePage() {
  for (const kind of ["dragover", "drop"]) {
    document.addEventListener(kind, (event) => event.preventDefault());
  }
}

/**
 * Files that are pasted anywhere on the page; text stays with whoever edits it.
 *
 * @param {(files: Given[]) => void} give
 */
export function pasted(give) {
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    give(files.map((file) => ({ name: file.name || "pasted", blob: file })));
  });
}
