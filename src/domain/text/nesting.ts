/**
 * Measures the depth of JSON before it is parsed and without recursion, because parsing or writing deep JSON
 * exhausts the stack or the memory.
 */

/** Chosen: far more than any answer of the API or any start arguments have. */
export const MOST_LEVELS = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = [0x5b, 0x7b];
const CLOSING = [0x5d, 0x7d];

/**
 * Levels of arrays and objects in a JSON text, given as text or as UTF-8. Returns some number for text that is not
 * JSON.
 */
export function jsonDepth(json: string | Uint8Array): number {
  const codeAt = typeof json === 'string' ? (at: number) => json.charCodeAt(at) : (at: number) => json[at] ?? 0;
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let at = 0; at < json.length; at++) {
    const code = codeAt(at);
    if (inString) {
      if (code === BACKSLASH) at++;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) inString = true;
    else if (OPENING.includes(code)) deepest = Math.max(deepest, ++depth);
    else if (CLOSING.includes(code)) depth--;
  }
  return deepest;
}

/** `nested 50000 levels deep, and 64 are read`; `null` if it is not too deep. */
export function nestingProblem(json: string | Uint8Array): string | null {
  const depth = jsonDepth(json);
  return depth > MOST_LEVELS ? `nested ${depth} levels deep, and ${MOST_LEVELS} are read` : null;
}
