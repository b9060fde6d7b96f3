/** A payload codec of the user's own, from a module that `RUNBOOK_CODEC` names. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { PayloadCodec } from '@temporalio/common';

/** Loads `payloadCodec`, or else the default export, of an ES module or CommonJS file. @returns what is wrong, as text */
export async function codecOfModule(path: string): Promise<PayloadCodec | string> {
  let exported: Readonly<Record<string, unknown>>;
  try {
    exported = (await import(pathToFileURL(resolve(path)).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    return `it cannot be loaded: ${error instanceof Error ? error.message : String(error)}`;
  }
  const codec = exported['payloadCodec'] ?? exported['default'];
  return isCodec(codec) ? codec : 'it exports no payloadCodec with the functions encode and decode';
}

function isCodec(value: unknown): value is PayloadCodec {
  if (typeof value !== 'object' || value === null) return false;
  const { encode, decode } = value as Readonly<Record<string, unknown>>;
  return typeof encode === 'function' && typeof decode === 'function';
}
