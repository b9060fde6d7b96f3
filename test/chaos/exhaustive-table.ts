/** The table of outcomes as text, for review and comparison: by scenario and request, with all faults of one outcome on one line. */

export interface CaseLine {
  readonly scenario: string;
  /** The request that is hit, or the cloud job that fails; '' for the run without a fault. */
  readonly where: string;
  readonly kind: string;
  readonly line: string;
}

const AS_UNTOUCHED = '= untouched';

/** @param header comment lines */
export function tableOf(header: string, lines: readonly CaseLine[]): string {
  const scenarios = [...grouped(lines, ({ scenario }) => scenario)];
  return [header, ...scenarios.map(([id, rows]) => scenarioText(id, rows))].join('\n');
}

function scenarioText(id: string, rows: readonly CaseLine[]): string {
  const untouched = rows.find(({ where }) => where === '')?.line ?? 'not run';
  const faulty = rows.filter(({ where }) => where !== '');
  const places = [...grouped(faulty, ({ where }) => where)];
  return [`== ${id} ==`, `untouched: ${untouched}`, ...places.flatMap((place) => placeText(place, untouched)), ''].join(
    '\n',
  );
}

function placeText([where, rows]: readonly [string, readonly CaseLine[]], untouched: string): string[] {
  const outcomes = [...grouped(rows, ({ line }) => (line === untouched ? AS_UNTOUCHED : line))];
  return [
    '',
    where,
    ...outcomes.flatMap(([line, rowsOfLine]) => {
      const kinds =
        rowsOfLine.length === rows.length && rows.length > 1
          ? 'every fault'
          : rowsOfLine.map(({ kind }) => kind).join(' | ');
      return [`  ${kinds}`, `    ${line}`];
    }),
  ];
}

function grouped<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

/** Lines that appear in only one text, each with its scenario and request; `-` for the kept table, `+` for the new one. */
export function differences(kept: string, now: string): string[] {
  const [before, after] = [placed(kept), placed(now)];
  return [
    ...[...before].filter((line) => !after.has(line)).map((line) => `- ${line}`),
    ...[...after].filter((line) => !before.has(line)).map((line) => `+ ${line}`),
  ];
}

/** Each outcome with all headings above it. */
function placed(text: string): Set<string> {
  const found = new Set<string>();
  let [scenario, where, kinds] = ['', '', ''];
  for (const line of text.split('\n')) {
    if (line.startsWith('#') || line === '') continue;
    if (line.startsWith('==')) [scenario, where] = [line, ''];
    else if (line.startsWith('    ')) found.add([scenario, where, kinds, line].map((part) => part.trim()).join(' '));
    else if (line.startsWith('  ')) kinds = line;
    else if (line.startsWith('untouched:')) found.add(`${scenario} ${line}`);
    else where = line;
  }
  return found;
}
