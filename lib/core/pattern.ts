/** How a kind of name is written: what separates its segments, and what a parameter looks like. */
export interface PatternSyntax {
  readonly separator: string;
  /** The name of a parameter segment, `undefined` for a literal. */
  parameter(segment: string): string | undefined;
  /** Whether a literal segment may stand in a name. */
  isLiteral(segment: string): boolean;
  /** What a segment may be, in words. */
  readonly segmentRule: string;
  /** Turns a segment of a name into the value of a parameter; `undefined` where it cannot be one. */
  decode(segment: string): string | undefined;
}

const PARAMETER_NAME = /^[A-Za-z][A-Za-z0-9_]*$/;

/** `chat:{room}`: literals and parameters, each one segment. */
export class Pattern {
  readonly segments: readonly string[];
  readonly #parameters: readonly (string | undefined)[];

  constructor(
    readonly text: string,
    readonly syntax: PatternSyntax,
  ) {
    this.segments = text.split(syntax.separator);
    this.#parameters = this.segments.map((segment) => syntax.parameter(segment));
    this.#check();
  }

  /** Two patterns of one shape match the same names. */
  get shape(): string {
    const { separator } = this.syntax;
    return this.segments
      .map((segment, at) => (this.#parameters[at] === undefined ? segment : '{}'))
      .join(separator);
  }

  get parameters(): readonly string[] {
    return this.#parameters.filter((name) => name !== undefined);
  }

  /** The parameters of a name that this pattern matches. */
  match(names: readonly string[]): Record<string, string> | undefined {
    if (names.length !== this.segments.length) return undefined;
    const params: Record<string, string> = {};
    for (const [at, name] of names.entries()) {
      const parameter = this.#parameters[at];
      if (parameter === undefined) {
        if (name !== this.segments[at]) return undefined;
        continue;
      }
      const value = this.syntax.decode(name);
      if (value === undefined) return undefined;
      params[parameter] = value;
    }
    return params;
  }

  /** Sorts a literal before a parameter, from left to right. */
  compare(other: Pattern): number {
    for (const at of this.segments.keys()) {
      const mine = this.#parameters[at] === undefined ? 0 : 1;
      const theirs = other.#parameters[at] === undefined ? 0 : 1;
      if (mine !== theirs) return mine - theirs;
    }
    return 0;
  }

  #check(): void {
    const names = this.parameters;
    const bad = names.find((name) => !PARAMETER_NAME.test(name));
    if (bad !== undefined) {
      throw new TypeError(
        `"${this.text}": the name of a parameter is a letter, then letters, digits or "_"; got "${bad}".`,
      );
    }
    const twice = names.find((name, at) => names.indexOf(name) < at);
    if (twice !== undefined) {
      throw new TypeError(`"${this.text}": two parameters are named "${twice}"; rename one of them.`);
    }
    for (const [at, segment] of this.segments.entries()) {
      if (this.#parameters[at] === undefined && !this.syntax.isLiteral(segment)) {
        throw new TypeError(`"${this.text}": "${segment}" must be ${this.syntax.segmentRule}.`);
      }
    }
  }
}

/** Finds the pattern that fits a name best. */
export class PatternTable<T> {
  readonly #bySegments = new Map<number, { readonly pattern: Pattern; readonly value: T }[]>();

  constructor(private readonly syntax: PatternSyntax) {}

  /** @throws TypeError when another pattern of the same shape is there already */
  add(pattern: Pattern, value: T): void {
    const count = pattern.segments.length;
    const same = this.#bySegments.get(count) ?? [];
    const rival = same.find((entry) => entry.pattern.shape === pattern.shape);
    if (rival) {
      throw new TypeError(
        `"${pattern.text}" and "${rival.pattern.text}" match the same names; keep one of them.`,
      );
    }
    const sorted = [...same, { pattern, value }].toSorted((a, b) => a.pattern.compare(b.pattern));
    this.#bySegments.set(count, sorted);
  }

  match(name: string): { readonly value: T; readonly params: Record<string, string> } | undefined {
    const segments = name.split(this.syntax.separator);
    for (const { pattern, value } of this.#bySegments.get(segments.length) ?? []) {
      const params = pattern.match(segments);
      if (params) return { value, params };
    }
    return undefined;
  }
}
