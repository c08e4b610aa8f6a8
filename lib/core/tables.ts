/** How many entries each table of a node has, by its name. */
export type Sizes = Readonly<Record<string, number>>;

/**
 * The tables of one node that grow with what its peers do: for operators, and for who looks for what is not given
 * back. Whoever has such a table names it here.
 */
export class Tables {
  readonly #sizes = new Map<string, (() => number)[]>();

  /** Tables of the same name are added up. `size` is asked for nothing but {@link read}. */
  add(name: string, size: () => number): void {
    const known = this.#sizes.get(name);
    if (known) known.push(size);
    else this.#sizes.set(name, [size]);
  }

  /** The sizes of now. Those of connections are added up over all of them, so that it takes its time. */
  read(): Sizes {
    const sizes: Record<string, number> = {};
    for (const [name, parts] of this.#sizes) sizes[name] = parts.reduce((total, size) => total + size(), 0);
    return sizes;
  }
}

/** What has tables of its own and tells their sizes, such as a store. */
export interface Sized {
  sizes?(): Sizes;
}
