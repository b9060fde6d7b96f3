/** Compares two JSON values field by field. Pure. */

/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** One field that differs; `null` on the side that does not have it. */
export interface Change {
  /** Dotted, such as `inputs.replica`. */
  readonly path: string;
  readonly from: Json;
  readonly to: Json;
}

/** The fields that differ. A list counts as one field: if two targets change places, neither of them is the one that changed. */
export function changesBetween(from: Json, to: Json, path = ''): Change[] {
  if (isFields(from) && isFields(to)) {
    const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])].sort();
    return keys.flatMap((key) =>
      changesBetween(from[key] ?? null, to[key] ?? null, path === '' ? key : `${path}.${key}`),
    );
  }
  return canonical(from) === canonical(to) ? [] : [{ path, from, to }];
}

/** The same text for the same value, in whatever order its keys stand. */
function canonical(value: Json): string {
  if (isList(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isFields(value)) return JSON.stringify(value);
  const pairs = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`);
  return `{${pairs.sort().join(',')}}`;
}

/** As it would come back from a server: without what is undefined, dates as text. */
export function toJson(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isFields(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
