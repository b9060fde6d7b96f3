/** Where a text is in something that the server returned, byte fields included. */

/** @returns the paths, without numbers of lists, each once: `events.activityTaskFailedEventAttributes.failure.message` */
export function plainPlaces(raw: unknown, text: string): string[] {
  const found = new Set<string>();
  visit(raw, [], (path, value) => {
    if (value.includes(text)) found.add(path.join('.'));
  });
  return [...found].sort();
}

function visit(value: unknown, path: readonly string[], see: (path: readonly string[], text: string) => void): void {
  if (typeof value === 'string') see(path, value);
  else if (value instanceof Uint8Array) see(path, Buffer.from(value).toString('latin1'));
  else if (typeof value === 'object' && value !== null) {
    for (const [key, child] of Object.entries(value)) {
      see([...path, '(key)'], key);
      visit(child, Array.isArray(value) ? path : [...path, key], see);
    }
  }
}
