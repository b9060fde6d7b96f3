/** Literals of a visibility query. */

/**
 * Quotes text for a query, so that no name can end the literal. ServiceStage itself allows only letters, digits, -
 * and _.
 */
export function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** A moment for a query. @param atMs epoch milliseconds */
export function quotedTime(atMs: number): string {
  return quoted(new Date(atMs).toISOString());
}
