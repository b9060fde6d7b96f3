/** A simple list of freezes in YAML → freezes, or every problem with its line and column. */
import { DateTime } from 'luxon';
import { isMap, isScalar, isSeq, parseDocument, type Document } from 'yaml';
import type { Freeze } from '../domain/gates.js';
import { didYouMean } from '../domain/nearest.js';
import { ianaZone, UTC, type CalendarZone } from './zones.js';

/** Something wrong, with its place behind the name of the file: `7:14 freezes.0.from`. */
export interface ListProblem {
  readonly at: string;
  readonly code: string;
  readonly found: string;
  readonly remedy: string;
}

const DAY_MS = 86_400_000;
const KEYS = ['timezone', 'freezes'];
const FREEZE_KEYS = ['name', 'from', 'to'];
const EXAMPLE = 'timezone: Europe/Berlin, then freezes: with - { name: Year end, from: 2026-12-20, to: 2027-01-01 }';
const LOCAL_TIME = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?$/;

export function listFreezes(text: string, calendar: string): { freezes: Freeze[]; problems: ListProblem[] } {
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'error' });
  const list = new FreezeList(document, text, calendar);
  const freezes = list.read();
  return list.problems.length > 0 ? { freezes: [], problems: list.problems } : { freezes, problems: [] };
}

type Path = readonly (string | number)[];

class FreezeList {
  readonly problems: ListProblem[] = [];

  constructor(
    readonly document: Document,
    readonly text: string,
    readonly calendar: string,
  ) {}

  read(): Freeze[] {
    for (const { pos, message } of this.document.errors)
      this.problems.push({
        at: this.#at(pos[0], []),
        code: 'yaml-syntax',
        found: firstLine(message),
        remedy: 'Mend the YAML',
      });
    if (this.problems.length > 0) return [];
    if (!isMap(this.document.contents)) {
      this.#problem([], 'not-a-calendar', 'the file holds no keys', `Write ${EXAMPLE}`);
      return [];
    }
    this.#onlyKeys([], KEYS);
    const zone = this.#zone();
    const freezes = this.document.getIn(['freezes'], true);
    if (isSeq(freezes)) return freezes.items.flatMap((_item, index) => this.#freeze(index, zone) ?? []);
    this.#problem(['freezes'], 'missing', '"freezes" is no list', `Write ${EXAMPLE}`);
    return [];
  }

  #freeze(index: number, zone: CalendarZone): Freeze | null {
    const path = ['freezes', index];
    if (!isMap(this.document.getIn(path, true))) {
      this.#problem(
        path,
        'wrong-value',
        'it is no freeze',
        'Write { name: Year end, from: 2026-12-20, to: 2027-01-01 }',
      );
      return null;
    }
    this.#onlyKeys(path, FREEZE_KEYS);
    const name = this.document.getIn([...path, 'name']);
    if (typeof name !== 'string' || name.trim() === '')
      this.#problem([...path, 'name'], 'missing', 'the freeze has no name', 'Write why changes are frozen, as text');
    const fromMs = this.#time([...path, 'from'], zone, 'first');
    const toMs = this.#time([...path, 'to'], zone, 'last');
    if (fromMs === null || toMs === null || typeof name !== 'string') return null;
    if (fromMs < toMs) return { calendar: this.calendar, name: name.slice(0, 100), fromMs, toMs };
    this.#problem([...path, 'to'], 'ends-before-it-begins', 'the freeze ends before it begins', 'Write a later "to"');
    return null;
  }

  #zone(): CalendarZone {
    const name = this.document.getIn(['timezone']);
    const zone = typeof name === 'string' ? ianaZone(name) : null;
    if (zone === null) {
      const found = name === undefined ? '"timezone" is missing' : `the time zone "${shown(name)}" is not known`;
      this.#problem(
        ['timezone'],
        name === undefined ? 'missing' : 'unknown-zone',
        found,
        'Write an IANA name such as Europe/Berlin',
      );
    }
    return zone ?? UTC;
  }

  /** A date stands for its whole day: as `to` it ends with that day. A reading that comes twice makes the freeze the longer one. */
  #time(path: Path, zone: CalendarZone, which: 'first' | 'last'): number | null {
    const given = this.document.getIn(path);
    const read =
      typeof given === 'string' && LOCAL_TIME.test(given)
        ? DateTime.fromISO(given.replace(' ', 'T'), { zone: 'utc' })
        : null;
    if (read === null || !read.isValid) {
      const found = given === undefined ? `"${String(path.at(-1))}" is missing` : `"${shown(given)}" is no time`;
      this.#problem(
        path,
        given === undefined ? 'missing' : 'wrong-value',
        found,
        'Write a day, 2026-12-20, or a time of the zone, 2026-12-20T18:00',
      );
      return null;
    }
    const wallMs = read.toMillis();
    const isDay = String(given).length === 10;
    if (which === 'first') return zone.msOf(wallMs, 'first');
    return isDay ? zone.msOf(wallMs + DAY_MS, 'first') : zone.msOf(wallMs, 'last');
  }

  #onlyKeys(path: Path, known: readonly string[]): void {
    const node = path.length === 0 ? this.document.contents : this.document.getIn(path, true);
    if (!isMap(node)) return;
    for (const { key } of node.items) {
      const name = String(key);
      if (known.includes(name)) continue;
      const remedy = `Use ${known.join(', ')}.${didYouMean(name, known)}`;
      const at = this.#at(isScalar(key) ? (key.range?.[0] ?? 0) : 0, [...path, name]);
      this.problems.push({ at, code: 'unknown-key', found: `unknown key "${name.slice(0, 80)}"`, remedy });
    }
  }

  #problem(path: Path, code: string, found: string, remedy: string): void {
    let offset = 0;
    for (let depth = path.length; depth > 0 && offset === 0; depth--) {
      const node = this.document.getIn(path.slice(0, depth), true);
      if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range))
        offset = Number(node.range[0]);
    }
    this.problems.push({ at: this.#at(offset, path), code, found, remedy });
  }

  #at(offset: number, path: Path): string {
    const before = this.text.slice(0, offset);
    const line = before.split('\n').length;
    const column = offset - (before.lastIndexOf('\n') + 1) + 1;
    return `${line}:${column}${path.length === 0 ? '' : ` ${path.join('.').slice(0, 200)}`}`;
  }
}

function shown(value: unknown): string {
  return (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 60);
}

function firstLine(message: string): string {
  return message.split('\n')[0] ?? message;
}
