/** Pages of `/metrics`, added up over workers that were killed and started again. */

/** The series of one page with their values, by name and labels as the page has them. */
export type Page = ReadonlyMap<string, number>;

/** Which series a figure adds up. */
export type Selects = (series: string) => boolean;

/** What a figure was in all pages together. */
export interface Sum {
  readonly value: number;
  /** The most that one process added between two pages: a killed one takes at most so much with it. */
  readonly largestIncrease: number;
}

const OUR_COUNTER = /^runbook_\w+_total(?:\{|$)/;
const STARTED = 'process_start_time_seconds';

/** Reads the text format of Prometheus. Time stamps and comments are left out. */
export function pageOf(text: string): Page {
  const page = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, series, value] = /^([a-zA-Z_:][^\s{]*(?:\{.*\})?) (\S+)/.exec(line) ?? [];
    if (series !== undefined && value !== undefined) page.set(series, Number(value));
  }
  return page;
}

/** All pages that were read, by process: counters of a new process begin at 0 again. Only our counters are kept of each. */
export class Pages {
  readonly #processes = new Map<string, Page[]>();
  /** How many pages were read. */
  count = 0;

  /** @param worker one name for each port; the process behind it changes */
  add(worker: string, page: Page): void {
    const process = `${worker} ${page.get(STARTED)}`;
    const counters = new Map([...page].filter(([name]) => OUR_COUNTER.test(name)));
    this.#processes.set(process, [...(this.#processes.get(process) ?? []), counters]);
    this.count++;
  }

  get processes(): number {
    return this.#processes.size;
  }

  sum(selects: Selects): Sum {
    let value = 0;
    let largestIncrease = 0;
    for (const pages of this.#processes.values()) {
      let before = 0;
      for (const page of pages) {
        const now = sumOf(page, selects);
        largestIncrease = Math.max(largestIncrease, now - before);
        before = now;
      }
      value += before;
    }
    return { value, largestIncrease };
  }
}

function sumOf(page: Page, selects: Selects): number {
  let sum = 0;
  for (const [series, value] of page) if (selects(series)) sum += value;
  return sum;
}

/** Series of a metric whose labels all have these values. */
export function series(metric: string, labels: Readonly<Record<string, string>> = {}): Selects {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return (name) =>
    name.startsWith(`${metric}{`) || name === metric ? wanted.every((each) => name.includes(each)) : false;
}
