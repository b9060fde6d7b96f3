/** Writes calendars of change freezes as files while a run reads them. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Epoch milliseconds. */
export type Span = readonly [fromMs: number, toMs: number];

/** Each span is rounded outwards to whole seconds, because calendars have no finer times. */
export async function writeFreezes(folder: string, calendar: string, ...spans: readonly Span[]): Promise<void> {
  const lines = spans.map(
    ([from, to]) => `  - { name: Test freeze, from: ${stamp(from, Math.floor)}, to: ${stamp(to, Math.ceil)} }`,
  );
  const freezes = lines.length === 0 ? 'freezes: []' : `freezes:\n${lines.join('\n')}`;
  await writeFile(join(folder, `${calendar}.yaml`), `timezone: UTC\n${freezes}\n`);
}

function stamp(ms: number, round: (seconds: number) => number): string {
  return new Date(round(ms / 1_000) * 1_000).toISOString().slice(0, 19);
}
