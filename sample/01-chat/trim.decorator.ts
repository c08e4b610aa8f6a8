import { Transform } from 'class-transformer';

/** Takes the space around a text away before it is validated. */
export const Trim = (): PropertyDecorator =>
  Transform(({ value }: { readonly value: unknown }) => (typeof value === 'string' ? value.trim() : value));
