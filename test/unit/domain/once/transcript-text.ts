/** Parses the text of a transcript into its setting and inputs, and prints times. */

/** Epoch milliseconds of `0.0s`. A full hour, so that no rule can mistake a time for "none". */
export const STORY_BEGINS_AT_MS = Date.UTC(2026, 0, 1, 12);

/** A line that is kept unchanged, or an input that is played. */
export type Line =
  | { readonly kind: 'kept'; readonly text: string }
  /** `atMs` is `null` for `...`: the time follows from what is repeated. */
  | { readonly kind: 'input'; readonly atMs: number | null; readonly text: string };

export interface Transcript {
  readonly settings: ReadonlyMap<string, string>;
  /** The head, then each case. A case begins with `## ` and runs alone in the setting of the head. */
  readonly cases: readonly (readonly Line[])[];
}

const PLAYED = /^ *(\d+(?:\.\d+)?s|\.\.\.) {2}(\S.*)$/;
/** The output of the machine, which each run replaces. */
const PRINTED = /^ +[→=|]/;
const SETTING = /^([a-z ]+): +(\S.*)$/;

export function parseTranscript(text: string): Transcript {
  const settings = new Map<string, string>();
  const cases = text.split(/^(?=## )/m).map((part) =>
    part
      .trimEnd()
      .split('\n')
      .filter((line) => !PRINTED.test(line))
      .map(parseLine),
  );
  for (const line of cases.flat()) {
    const [, name, value] = line.kind === 'kept' ? (SETTING.exec(line.text) ?? []) : [];
    if (name !== undefined && value !== undefined) settings.set(name, value);
  }
  return { settings, cases };
}

function parseLine(line: string): Line {
  const [, time, text] = PLAYED.exec(line) ?? [];
  if (time === undefined || text === undefined) return { kind: 'kept', text: line };
  return { kind: 'input', atMs: time === '...' ? null : parseTime(time), text };
}

/** `65.1s`, `10m` → epoch milliseconds. */
export function parseTime(text: string): number {
  return STORY_BEGINS_AT_MS + parseDuration(text);
}

/** `65.1s`, `10m` → milliseconds. */
export function parseDuration(text: string): number {
  const [, number, unit] = /^(-?\d+(?:\.\d+)?)(s|m)$/.exec(text) ?? [];
  if (number === undefined) throw new TypeError(`Not a time: ${text}`);
  return Math.round(Number(number) * (unit === 'm' ? 60_000 : 1_000));
}

/** Epoch milliseconds → `65.1s` since the story began. */
export function printTime(atMs: number): string {
  return printDuration(atMs - STORY_BEGINS_AT_MS);
}

/** Milliseconds → `5.0s`. */
export function printDuration(ms: number): string {
  return `${(ms / 1_000).toFixed(1)}s`;
}

/** An input line of a transcript. */
export function printInput(atMs: number | null, text: string): string {
  return `${(atMs === null ? '...' : printTime(atMs)).padStart(8)}  ${text}`;
}

/** An output line, indented under its input. */
export function printOutput(text: string): string {
  return `          ${text}`;
}

/** Replaces ISO times in messages by seconds since the story began. */
export function withStoryTimes(text: string): string {
  return text.replaceAll(/\d{4}-\d\d-\d\dT[\d:]+Z/g, (moment) => printTime(Date.parse(moment)));
}
