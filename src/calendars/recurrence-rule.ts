/** The value of RRULE: RFC 5545 3.3.10, except for rules by the minute or second. */
import { readStamp, type Stamp, type WallMs } from '../time/wall-clock.js';

/** A rule that is read, with defaults taken from the start of its event. */
export interface Rule {
  readonly frequency: Frequency;
  readonly interval: number;
  readonly count: number | null;
  readonly until: Stamp | null;
  readonly weekStart: number;
  readonly lists: Lists;
  readonly weekdays: readonly Weekday[];
}

interface Weekday {
  /** 0: each one of the period. Negative: from its end. */
  readonly nth: number;
  /** 0 is Sunday. */
  readonly weekday: number;
}

const FREQUENCIES = ['YEARLY', 'MONTHLY', 'WEEKLY', 'DAILY', 'HOURLY'] as const;
/** How often a rule recurs. */
export type Frequency = (typeof FREQUENCIES)[number];

/** Least and greatest value of each list; `fromEnd`: negative ones count from the end. */
const LIMITS = {
  BYMONTH: { least: 1, most: 12, fromEnd: false },
  BYWEEKNO: { least: 1, most: 53, fromEnd: true },
  BYYEARDAY: { least: 1, most: 366, fromEnd: true },
  BYMONTHDAY: { least: 1, most: 31, fromEnd: true },
  BYHOUR: { least: 0, most: 23, fromEnd: false },
  BYMINUTE: { least: 0, most: 59, fromEnd: false },
  BYSECOND: { least: 0, most: 60, fromEnd: false },
  BYSETPOS: { least: 1, most: 366, fromEnd: true },
} as const;
type ListName = keyof typeof LIMITS;
type Lists = Readonly<Partial<Record<ListName, readonly number[]>>>;

const WEEKDAYS = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];
const PARTS = ['FREQ', 'INTERVAL', 'COUNT', 'UNTIL', 'WKST', 'BYDAY', 'RSCALE', 'SKIP', ...Object.keys(LIMITS)];
/** Chosen: a freeze that comes back after more than a thousand years, or days, is a typing error. */
const LARGEST_INTERVAL = 1_000;

/** Reads the value of RRULE. @returns the rule, or in words why it is not taken */
export function readRule(text: string, start: WallMs): Rule | string {
  const parts = new Map<string, string>();
  for (const part of text
    .toUpperCase()
    .split(';')
    .filter((each) => each.trim() !== '')) {
    const [, name = '', value = ''] = /^\s*([A-Z-]+)=(.+?)\s*$/.exec(part) ?? [];
    if (name === '' || !PARTS.includes(name)) return `"${part.slice(0, 40)}" in a rule is not supported`;
    if (parts.has(name)) return `${name} appears twice`;
    parts.set(name, value);
  }
  return new RuleReader(parts, start).read();
}

class RuleReader {
  #wrong: string | null = null;

  constructor(
    readonly parts: ReadonlyMap<string, string>,
    readonly start: WallMs,
  ) {}

  read(): Rule | string {
    const given = this.parts.get('FREQ') ?? '';
    const frequency = FREQUENCIES.find((each) => each === given);
    if (given === '') return 'the rule has no FREQ';
    if (frequency === undefined)
      return /^(SECOND|MINUTE)LY$/.test(given)
        ? `FREQ=${given} repeats too often for a freeze`
        : `FREQ=${given.slice(0, 40)} is not a frequency`;
    const lists: Partial<Record<ListName, readonly number[]>> = {};
    for (const name of Object.keys(LIMITS) as ListName[]) {
      const values = this.#numbers(name);
      if (values !== null) lists[name] = values;
    }
    const rule = {
      frequency,
      interval: this.#number('INTERVAL', LARGEST_INTERVAL) ?? 1,
      count: this.#number('COUNT', Number.MAX_SAFE_INTEGER),
      until: this.#until(),
      weekStart: this.#weekStart(),
      lists,
      weekdays: this.#weekdays(),
    };
    if (this.#other('RSCALE', 'GREGORIAN') || this.#other('SKIP', 'OMIT'))
      this.#refuse('RSCALE or SKIP of another calendar is not supported');
    return this.#wrong ?? combinationProblem(rule) ?? withDefaults(rule, this.start);
  }

  #refuse(why: string): null {
    this.#wrong ??= why;
    return null;
  }

  #other(name: string, only: string): boolean {
    return (this.parts.get(name) ?? only) !== only;
  }

  #number(name: string, most: number): number | null {
    const text = this.parts.get(name);
    if (text === undefined) return null;
    const value = /^\+?\d{1,15}$/.test(text) ? Number(text) : 0;
    if (value < 1) return this.#refuse(`${name}=${text.slice(0, 40)} is not a number from 1 on`);
    return value > most ? this.#refuse(`${name}=${text} is too large`) : value;
  }

  #numbers(name: ListName): readonly number[] | null {
    const text = this.parts.get(name);
    if (text === undefined) return null;
    const { least, most, fromEnd } = LIMITS[name];
    const values = text.split(',').map((each) => (/^[+-]?\d{1,3}$/.test(each) ? Number(each) : NaN));
    const fits = values.every((value) => (fromEnd ? Math.abs(value) : value) >= least && Math.abs(value) <= most);
    return fits ? sorted(values) : this.#refuse(`${name}=${text.slice(0, 40)} is outside ${least} to ${most}`);
  }

  #weekStart(): number {
    const weekday = WEEKDAYS.indexOf(this.parts.get('WKST') ?? 'MO');
    if (weekday < 0) this.#refuse('WKST is not a day of the week such as MO');
    return weekday;
  }

  #weekdays(): Weekday[] {
    const text = this.parts.get('BYDAY');
    return (text?.split(',') ?? []).flatMap((each) => {
      const [, nth = '0', name = ''] = /^([+-]?[1-9]\d?)?([A-Z]{2})$/.exec(each) ?? [];
      const weekday = WEEKDAYS.indexOf(name);
      if (weekday >= 0 && Math.abs(Number(nth)) <= 53) return [{ nth: Number(nth), weekday }];
      this.#refuse(`BYDAY=${each.slice(0, 40)} is not a day of the week such as MO or -1FR`);
      return [];
    });
  }

  #until(): Stamp | null {
    const text = this.parts.get('UNTIL');
    if (text === undefined) return null;
    const stamp = readStamp(text);
    if (stamp === null) return this.#refuse(`UNTIL=${text.slice(0, 40)} is not a time`);
    return stamp;
  }
}

/** What RFC 5545 forbids, and the two places where it leaves open what is meant. */
function combinationProblem({ frequency, lists, weekdays, interval, until, count }: Rule): string | null {
  const has = (name: ListName) => lists[name] !== undefined;
  const numbered = weekdays.some(({ nth }) => nth !== 0);
  const yearly = frequency === 'YEARLY';
  if (until !== null && count !== null) return 'COUNT and UNTIL exclude each other';
  if (has('BYWEEKNO') && !yearly) return `BYWEEKNO with FREQ=${frequency} is not supported`;
  if (has('BYYEARDAY') && !yearly && frequency !== 'HOURLY') return `BYYEARDAY with FREQ=${frequency} is not supported`;
  if (has('BYMONTHDAY') && frequency === 'WEEKLY') return 'BYMONTHDAY with FREQ=WEEKLY is not supported';
  if (numbered && !yearly && frequency !== 'MONTHLY') return `a numbered BYDAY with FREQ=${frequency} is not supported`;
  if (numbered && has('BYWEEKNO')) return 'a numbered BYDAY with BYWEEKNO is not supported';
  if (has('BYWEEKNO') && (interval > 1 || has('BYSETPOS')))
    return 'BYWEEKNO with INTERVAL or BYSETPOS is not supported';
  return null;
}

/** "Information in the start, not in the rule, determines the exact occurrences", RFC 5545 3.3.10. */
function withDefaults(rule: Rule, start: WallMs): Rule {
  const { frequency, lists, weekdays } = rule;
  const at = new Date(start);
  const names = Object.keys(lists);
  const byDays = weekdays.length > 0 || ['BYMONTHDAY', 'BYYEARDAY'].some((name) => names.includes(name));
  const own = { weekday: at.getUTCDay(), nth: 0 };
  const byDefault: { lists: Lists; weekdays?: Weekday[] } = { lists: {} };
  if (!byDays && (frequency === 'WEEKLY' || names.includes('BYWEEKNO'))) byDefault.weekdays = [own];
  else if (!byDays && (frequency === 'YEARLY' || frequency === 'MONTHLY')) {
    const month = frequency === 'YEARLY' ? { BYMONTH: [at.getUTCMonth() + 1] } : {};
    byDefault.lists = { ...month, BYMONTHDAY: [at.getUTCDate()] };
  }
  const hour = frequency === 'HOURLY' ? {} : { BYHOUR: [at.getUTCHours()] };
  const time = { ...hour, BYMINUTE: [at.getUTCMinutes()], BYSECOND: [at.getUTCSeconds()] };
  return { ...rule, weekdays: byDefault.weekdays ?? weekdays, lists: { ...time, ...byDefault.lists, ...lists } };
}

/** Ascending, each once. */
export function sorted(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].sort((left, right) => left - right);
}
