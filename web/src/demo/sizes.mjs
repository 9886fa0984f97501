/**
 * The axes of an entry that have no fixed size, and which sizes to begin with. Pure.
 *
 * @typedef {import("../records.js").Spec} Spec
 * @typedef {Record<string, number>} Sizes
 */

/** An axis other than the batch begins with so many, where it may. */
const FIRST = 16;

/**
 * The named axes of these inputs, in their order.
 *
 * @param {readonly Spec[]} inputs
 * @returns {string[]}
 */
export function names(inputs) {
  const dims = inputs.flatMap((spec) => spec.shape.flatMap((dim) => String(dim).split("*")));
  return [...new Set(dims.filter((dim) => !/^\d+$/.test(dim)))];
}

/**
 * One item, and of every other axis what is neither nothing nor much.
 *
 * @param {readonly Spec[]} inputs
 * @param {Record<string, [number, number]>} axes
 * @param {string | null} batch
 * @returns {Sizes}
 */
export function first(inputs, axes, batch) {
  return Object.fromEntries(
    names(inputs).map((name) => {
      const [least, most] = axes[name] ?? [1, Infinity];
      return [name, name === batch ? least : Math.max(least, Math.min(most, FIRST))];
    }),
  );
}

/**
 * A shape with its sizes; a dimension can be a product, "batch*time".
 *
 * @param {readonly (number | string)[]} shape
 * @param {Sizes} sizes
 * @returns {number[]}
 */
export function fixed(shape, sizes) {
  return shape.map((dim) =>
    String(dim)
      .split("*")
      .reduce((all, factor) => all * (/^\d+$/.test(factor) ? Number(factor) : (sizes[factor] ?? 1)), 1),
  );
}

/**
 * The sizes that a tensor of this shape asks for. Throws a TypeError where it does not fit the input.
 *
 * @param {Spec} spec
 * @param {readonly number[]} shape
 * @returns {Sizes}
 */
export function learnt(spec, shape) {
  const where = `input "${spec.name}": expected [${spec.shape.join(", ")}], got [${shape.join(", ")}]`;
  if (shape.length !== spec.shape.length) throw new TypeError(where);
  /** @type {Sizes} */
  const sizes = {};
  spec.shape.forEach((dim, at) => {
    const size = shape[at] ?? 0;
    // A product says nothing of its factors; whoever runs it compares.
    if (String(dim).includes("*")) return;
    if (typeof dim === "number" ? dim !== size : (sizes[dim] ?? size) !== size) {
      throw new TypeError(where);
    }
    if (typeof dim === "string") sizes[dim] = size;
  });
  return sizes;
}
