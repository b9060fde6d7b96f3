/** A simple list of freezes in YAML → freezes, or every problem with its place. */
import { DateTime } from 'luxon';
import type { Problem } from '../domain/failures.js';
import type { Freeze } from '../domain/gates/gates.js';
import { didYouMean } from '../domain/text/suggest.js';
import { YamlDocument, type FileKind, type Path, type PathProblem } from '../yaml/yaml-document.js';
import { freezeName } from './freeze-name.js';
import { DAY_MS, ianaZone, UTC, type CalendarZone } from '../time/zones.js';

const KEYS = ['timezone', 'freezes'];
const FREEZE_KEYS = ['name', 'from', 'to'];
const EXAMPLE = 'timezone: Europe/Berlin, then freezes: with - { name: Year end, from: 2026-12-20, to: 2027-01-01 }';
const LOCAL_TIME = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?$/;
const LIST_FILE: FileKind = { noun: 'calendar', begin: `Write ${EXAMPLE}`, size: 'Take its past freezes out' };

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
    this.#problem(['freezes'], 'missing', '"freezes" is no list', `Write ${EXAMPLE}`);
    return [];
  }

  #freeze(path: Path, freeze: unknown, zone: CalendarZone): Freeze | null {
    if (typeof freeze !== 'object' || freeze === null || Array.isArray(freeze)) {
      const remedy = 'Write { name: Year end, from: 2026-12-20, to: 2027-01-01 }';
      this.#problem(path, 'invalid-value', 'it is no freeze', remedy);
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

  #zone(name: unknown): CalendarZone {
    const zone = typeof name === 'string' ? ianaZone(name) : null;
    if (zone !== null) return zone;
    const [code, found] =
      name === undefined
        ? ['missing', '"timezone" is missing']
        : ['unknown-time-zone', `the time zone "${shown(name)}" is not known`];
    this.#problem(['timezone'], code, found, 'Write an IANA name such as Europe/Berlin');
    return UTC;
  }

  /** A date stands for its whole day: as `to` it ends with that day. A reading that comes twice makes the freeze the longer one. */
  #time(path: Path, given: unknown, zone: CalendarZone, which: 'first' | 'last'): number | null {
    const isTime = typeof given === 'string' && LOCAL_TIME.test(given);
    const read = isTime ? DateTime.fromISO(given.replace(' ', 'T'), { zone: 'utc' }) : null;
    if (read === null || !read.isValid) {
      const [code, found] =
        given === undefined
          ? ['missing', `"${String(path.at(-1))}" is missing`]
          : ['invalid-value', `"${shown(given)}" is no time`];
      this.#problem(path, code, found, 'Write a day, 2026-12-20, or a time of the zone, 2026-12-20T18:00');
      return null;
    }
    const wallMs = read.toMillis();
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

/** A list may hold itself, so that no text can be made of it. */
function shown(value: unknown): string {
  return typeof value === 'object' && value !== null ? 'a list or keys' : String(value).slice(0, 60);
}
