/** Which keys may stand at a place of a file, read from its zod schema: for "did you mean" and for lists of what is known. */
import { z } from 'zod';
import type { Path } from './yaml-document.js';

/** Keys that an object at `path` of the document may have; of a union, those of the alternative that its value means. */
export function keysAt(shape: z.ZodType, path: Path, raw: unknown): string[] {
  return unique(objectsAt(shape, path, raw).flatMap((each) => Object.keys(each.shape)));
}

/** Keys that say what an object at `path` is: the first of each alternative. */
export function kindsAt(shape: z.ZodType, path: Path, raw: unknown): string[] {
  return unique(objectsAt(shape, path, raw).flatMap((each) => Object.keys(each.shape).slice(0, 1)));
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}

function objectsAt(shape: z.ZodType, path: Path, raw: unknown): z.ZodObject[] {
  let value = raw;
  let shapes = alternatives(shape, value);
  for (const part of path) {
    value = childOf(value, part);
    shapes = shapes.flatMap((each) => childShapes(each, part)).flatMap((each) => alternatives(each, value));
  }
  return shapes.filter((each) => each instanceof z.ZodObject);
}

/** The value at `path`; `undefined` if there is none. */
export function valueAt(raw: unknown, path: Path): unknown {
  return path.reduce(childOf, raw);
}

/** Keys and values, and neither a list nor the bytes of a `!!binary`. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

function childOf(value: unknown, part: string | number): unknown {
  if (Array.isArray(value)) return value[Number(part)];
  return isObject(value) && Object.hasOwn(value, part) ? value[String(part)] : undefined;
}

function childShapes(shape: z.ZodType, part: string | number): z.ZodType[] {
  if (shape instanceof z.ZodObject) {
    const { [String(part)]: child } = shape.shape as Record<string, z.ZodType>;
    return child === undefined ? [] : [child];
  }
  if (shape instanceof z.ZodRecord) return [shape.valueType as z.ZodType];
  return shape instanceof z.ZodArray ? [shape.element as z.ZodType] : [];
}

function alternatives(shape: z.ZodType, value: unknown): z.ZodType[] {
  if (shape instanceof z.ZodOptional || shape instanceof z.ZodDefault || shape instanceof z.ZodPrefault)
    return alternatives(shape.unwrap() as z.ZodType, value);
  if (!(shape instanceof z.ZodUnion)) return [shape];
  const options = (shape.options as readonly z.ZodType[]).flatMap((each) => alternatives(each, value));
  const meant = isObject(value) ? options.filter((each) => isMeant(each, value)) : [];
  return meant.length > 0 ? meant : options;
}

/** The first key of an alternative identifies it: by its constant (`action: stop`), else by being there (`wait: 5m`). */
function isMeant(shape: z.ZodType, value: Record<string, unknown>): boolean {
  if (!(shape instanceof z.ZodObject)) return false;
  const [[key, first] = ['', undefined]] = Object.entries(shape.shape);
  return first instanceof z.ZodLiteral ? first.values.has(value[key] as string) : Object.hasOwn(value, key);
}
