import { Pattern, type PatternSyntax } from '../../core/pattern.js';

/** Paths of gateways: `/` separates segments, a parameter is written `:name`, as in Nest's controllers. */
export const PATH_SYNTAX: PatternSyntax = {
  separator: '/',
  parameter: (segment) => (segment.startsWith(':') ? segment.slice(1) : undefined),
  isLiteral: (segment) => !/[*?{}()]/.test(segment),
  segmentRule: 'a parameter, written :name, or text without * ? { } ( )',
  decode: decodeSegment,
};

/** The pattern of a gateway's path, with one leading slash and none at the end, as stock Nest has it. */
export function parsePath(path: string): Pattern {
  return new Pattern(normalizePath(path), PATH_SYNTAX);
}

export function normalizePath(path: string | undefined): string {
  return `/${path ?? ''}`.replace(/\/+/g, '/').replace(/(?<=.)\/$/, '');
}

function decodeSegment(segment: string): string | undefined {
  if (segment === '') return undefined;
  try {
    return decodeURIComponent(segment);
  } catch {
    // Broken percent-encoding names nothing that exists.
    return undefined;
  }
}
