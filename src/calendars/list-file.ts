/** A simple list of freezes in YAML → freezes, or every problem with its place. */
import type { Problem } from '../domain/failures.js';
import type { Freeze } from '../domain/gates/gates.js';
import { didYouMean } from '../domain/text/suggest.js';
import { YamlDocument, type FileKind, type Path, type PathProblem } from '../yaml/yaml-document.js';
import { freezeName } from './freeze-name.js';
import { ianaZone, UTC, type TimeZone } from '../time/time-zone.js';
import { DAY_MS, readStamp, type WallMs } from '../time/wall-clock.js';

const KEYS = ['timezone', 'freezes'];
const FREEZE_KEYS = ['name', 'from', 'to'];
const EXAMPLE = 'timezone: Europe/Berlin, then freezes: with - { name: Year end, from: 2026-12-20, to: 2027-01-01 }';
const LIST_FILE: FileKind = { noun: 'calendar', begin: `Write ${EXAMPLE}`, size: 'Take its past freezes out' };

/** Reads a list. @param calendar its name; @returns no freezes if there is a problem */
export function listFreezes(
  text: string,
  file: string,
  calendar: string,
): { freezes: Freeze[]; problems: readonly Problem[] } {
  const document = YamlDocument.parse(text, file, LIST_FILE);
  if (Array.isArray(document)) return { freezes: [], problems: document };
  const list = new FreezeList(calendar);
  const freezes = list.read(document.raw);
  return list.problems.length > 0
    ? { freezes: [], problems: document.placed(list.problems) }
    : { freezes, problems: [] };
}

type Keys = Readonly<Record<string, unknown>>;

class FreezeList {
  readonly problems: PathProblem[] = [];

  constructor(readonly calendar: string) {}

  read(raw: object): Freeze[] {
    const { timezone, freezes } = raw as Keys;
    this.#onlyKeys([], raw, KEYS);
    const zone = this.#zone(timezone);
    if (Array.isArray(freezes))
      return freezes.flatMap((freeze: unknown, index) => this.#freeze(['freezes', index], freeze, zone) ?? []);
    this.#problem(['freezes'], 'missing', '"freezes" is not a list', `Write ${EXAMPLE}`);
    return [];
  }

  #freeze(path: Path, freeze: unknown, zone: TimeZone): Freeze | null {
    if (typeof freeze !== 'object' || freeze === null || Array.isArray(freeze)) {
      const remedy = 'Write { name: Year end, from: 2026-12-20, to: 2027-01-01 }';
      this.#problem(path, 'invalid-value', 'it is not a freeze', remedy);
      return null;
    }
    this.#onlyKeys(path, freeze, FREEZE_KEYS);
    const { name, from, to } = freeze as Keys;
    if (typeof name !== 'string' || name.trim() === '')
      this.#problem([...path, 'name'], 'missing', 'the freeze has no name', 'Write why changes are frozen, as text');
    const fromMs = this.#time([...path, 'from'], from, zone, 'first');
    const toMs = this.#time([...path, 'to'], to, zone, 'last');
    if (fromMs === null || toMs === null || typeof name !== 'string') return null;
    if (fromMs < toMs) return { calendar: this.calendar, name: freezeName(name), fromMs, toMs };
    this.#problem([...path, 'to'], 'ends-before-start', 'the freeze ends before it begins', 'Write a later "to"');
    return null;
  }

  #zone(name: unknown): TimeZone {
    const zone = typeof name === 'string' ? ianaZone(name) : null;
    if (zone !== null) return zone;
    const [code, found] =
      name === undefined
        ? ['missing', '"timezone" is missing']
        : ['unknown-time-zone', `the time zone "${shown(name)}" is not known`];
    this.#problem(['timezone'], code, found, 'Write an IANA name such as Europe/Berlin');
    return UTC;
  }

  /** A date means its whole day: as `to` it ends with that day. A reading that comes twice makes the freeze the longer one. */
  #time(path: Path, given: unknown, zone: TimeZone, which: 'first' | 'last'): number | null {
    const wallMs = typeof given === 'string' ? localTime(given) : null;
    if (wallMs === null) {
      const [code, found] =
        given === undefined
          ? ['missing', `"${String(path.at(-1))}" is missing`]
          : ['invalid-value', `"${shown(given)}" is not a time`];
      this.#problem(path, code, found, 'Write a day, 2026-12-20, or a time of the zone, 2026-12-20T18:00');
      return null;
    }
    const isDay = String(given).length === 10;
    if (which === 'first') return zone.msOf(wallMs, 'first');
    return isDay ? zone.msOf(wallMs + DAY_MS, 'first') : zone.msOf(wallMs, 'last');
  }

  #onlyKeys(path: Path, keys: object, known: readonly string[]): void {
    for (const name of Object.keys(keys).filter((key) => !known.includes(key))) {
      const remedy = `Use ${known.join(', ')}.${didYouMean(name, known)}`;
      const found = `unknown key "${name.slice(0, 80)}"`;
      this.problems.push({ code: 'unknown-key', path: [...path, name], found, remedy, onKey: true });
    }
  }

  #problem(path: Path, code: string, found: string, remedy: string): void {
    this.problems.push({ code, path, found, remedy });
  }
}

const LOCAL_TIME = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::([0-5]\d))?)?$/;

/** `2026-12-20` or `2026-12-20T18:00`, where `24:00` is the end of the day. @returns `null` for any other text */
function localTime(text: string): WallMs | null {
  const [, year, month, day, hour = '00', minute = '00', second = '00'] = LOCAL_TIME.exec(text) ?? [];
  if (year === undefined) return null;
  const endsDay = `${hour}${minute}${second}` === '240000';
  const stamp = readStamp(`${year}${month}${day}T${endsDay ? '000000' : `${hour}${minute}${second}`}`);
  return stamp && stamp.wallMs + (endsDay ? DAY_MS : 0);
}

/** A list may hold itself, so that no text can be made of it. */
function shown(value: unknown): string {
  return typeof value === 'object' && value !== null ? 'a list or keys' : String(value).slice(0, 60);
}
