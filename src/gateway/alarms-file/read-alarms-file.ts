/** Reads an alarms file: returns senders and rules, or every problem with file, line and column. Secrets come from the files that it names and are never shown. */
import type { Brakes } from '../../domain/alarms/alarm.js';
import { durationMs } from '../../domain/time/duration.js';
import type { Problem } from '../../domain/failures.js';
import { didYouMean } from '../../domain/text/suggest.js';
import { NAME_REMEDY } from '../../domain/runbook/names.js';
import type { RunbookLookup } from '../../runbooks/lookups.js';
import { problemOfKind } from '../../yaml/file-kind.js';
import { problemsOfIssues } from '../../yaml/shape-problems.js';
import { readYamlFile, YamlDocument, type FileKind, type Path, type PathProblem } from '../../yaml/yaml-document.js';
import { checkOrder, checkRule, valuesOf } from './check-rules.js';
import { ALARMS_KEYS, AlarmsFile, SENDER_KINDS, type RuleEntry, type SenderEntry } from './schema.js';
import type { AlarmRule } from '../match-alarm.js';
import type { SenderSettings } from '../senders/sender.js';
import { readSettings, type ReadSecret } from './sender-settings.js';

const ALARMS_FILE: FileKind = {
  noun: 'alarms-file',
  begin: 'Begin with owner:, senders: and rules:',
  size: 'Split the rules over several files, each with an owner and a gateway of its own',
};

/** The content of an alarms file. */
export interface AlarmsConfig {
  readonly owner: string;
  readonly senders: readonly {
    readonly name: string;
    readonly settings: SenderSettings;
    /** The settings with the secrets that are in their files now, or what is wrong with a file, without its name. Absent where none was read. */
    readonly readAgain?: () => Promise<SenderSettings | string>;
  }[];
  readonly rules: readonly AlarmRule[];
}

/** How to read an alarms file. */
export interface ReadOptions {
  readonly findRunbook: (name: string) => Promise<RunbookLookup>;
  /** `null` to leave the files of secrets unread; the senders then admit no one. */
  readonly readSecret: ReadSecret | null;
}

/** Reads and checks a file. @returns senders and rules, or all problems at once */
export async function readAlarmsFile(file: string, options: ReadOptions): Promise<AlarmsConfig | Problem[]> {
  const text = await readYamlFile(file, ALARMS_FILE);
  if (typeof text !== 'string') return text;
  const document = YamlDocument.parse(text, file, ALARMS_FILE);
  if (Array.isArray(document)) return document;
  const { raw } = document;
  const otherKind = problemOfKind(raw, 'alarms file');
  if (otherKind !== null) return document.placed([otherKind]);
  const parsed = AlarmsFile.safeParse(raw);
  const problems = [
    ...prototypeKeys(raw, []),
    ...emptyParts(raw),
    ...(parsed.success ? [] : problemsOfIssues(parsed.error.issues, raw, AlarmsFile).map(asAlarmsProblem)),
  ];
  // Checks every part that has its shape further, even if others have not.
  const senders: AlarmsConfig['senders'][number][] = [];
  for (const [name, entry] of wellShaped<SenderEntry>(raw, 'senders')) {
    const settings = await readSettings(entry, options.readSecret);
    if (Array.isArray(settings)) problems.push(...under(['senders', name], settings));
    else senders.push({ name, settings, ...againFrom(entry, options.readSecret) });
  }
  const entries = [...wellShaped<RuleEntry>(raw, 'rules')];
  problems.push(...checkOrder(entries));
  for (const [name, entry] of entries) {
    const runbook = await options.findRunbook(entry.runbook);
    problems.push(...under(['rules', name], checkRule(entry, { runbook, senders: keysOf(raw, 'senders') })));
  }
  if (problems.length > 0 || !parsed.success) return document.placed(problems);
  return { owner: parsed.data.owner, senders, rules: entries.map(([name, entry]) => ruleOf(name, entry)) };
}

function againFrom(
  entry: SenderEntry,
  readSecret: ReadSecret | null,
): Pick<AlarmsConfig['senders'][number], 'readAgain'> {
  if (readSecret === null) return {};
  const readAgain = async () => {
    const settings = await readSettings(entry, readSecret);
    return Array.isArray(settings)
      ? settings.map(({ path, found }) => `${path.join('.')}: ${found}`).join('; ')
      : settings;
  };
  return { readAgain };
}

function under(path: Path, problems: readonly PathProblem[]): PathProblem[] {
  return problems.map((problem) => ({ ...problem, path: [...path, ...problem.path] }));
}

function ruleOf(name: string, entry: RuleEntry): AlarmRule {
  const { runbook, target, within, inputs } = entry;
  const when = Object.fromEntries(Object.entries(entry.when).map(([label, values]) => [label, valuesOf(values)]));
  return { name, when, runbook, target, within, inputs, brakes: brakesOf(entry) };
}

function brakesOf({ debounce, coolDown, atMost, atOnce, onResolved }: RuleEntry): Brakes {
  // The schema has checked that each is a duration.
  const ms = (duration: string) => durationMs(duration) ?? 0;
  return {
    debounceMs: ms(debounce),
    coolDownMs: ms(coolDown),
    atMost: atMost === undefined ? null : { runs: atMost.runs, withinMs: ms(atMost.within) },
    atOnce: atOnce === 'unlimited' ? null : atOnce,
    onResolved,
  };
}

type Part = 'senders' | 'rules';

function partOf(raw: object, part: Part): object {
  const found: unknown = Object.hasOwn(raw, part) ? (raw as Partial<Record<Part, unknown>>)[part] : null;
  return typeof found === 'object' && found !== null && !Array.isArray(found) ? found : {};
}

function keysOf(raw: object, part: Part): string[] {
  return Object.keys(partOf(raw, part));
}

function* wellShaped<Entry extends SenderEntry | RuleEntry>(raw: object, part: Part): Generator<[string, Entry]> {
  for (const [name, entry] of Object.entries(partOf(raw, part))) {
    const parsed = AlarmsFile.shape[part].valueType.safeParse(entry);
    if (parsed.success) yield [name, parsed.data as Entry];
  }
}

function emptyParts(raw: object): PathProblem[] {
  const remedies = {
    senders: 'Name at least one sender; without one no alarm can arrive',
    rules: 'Write at least one rule; without one nothing ever starts',
  };
  return (['senders', 'rules'] as const)
    .filter((part) => Object.hasOwn(raw, part) && keysOf(raw, part).length === 0)
    .map((part) => ({ code: 'empty-file', path: [part], found: `${part} is empty`, remedy: remedies[part] }));
}

/** zod silently drops a key of that name, and the condition with it. */
function prototypeKeys(value: unknown, path: Path): PathProblem[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const found = '"__proto__" is not a valid name';
    const own = [...path, key];
    const here = { code: 'invalid-name', path: own, found, remedy: 'Use another name', onKey: true as const };
    return [...(key === '__proto__' ? [here] : []), ...(path.length < 6 ? prototypeKeys(item, own) : [])];
  });
}

/** Keys where someone may have written the secret itself. Their values are never shown. */
const SECRET_KEYS = ['tokenFiles', 'secretFiles', 'certificateFiles', 'header', 'valueFiles'];
const LIKE_A_SECRET = /token|secret|passw|credential|authorization|key|^values?$/i;

/** The messages of runbook files, adapted to the keys and names of alarms files. */
function asAlarmsProblem(problem: PathProblem): PathProblem {
  const { code, path } = problem;
  const key = String(path.at(-1));
  const inSender = path[0] === 'senders' && path.length > 2;
  if (code === 'unknown-key' && inSender && LIKE_A_SECRET.test(key) && !ALARMS_KEYS.includes(key)) {
    const remedy =
      'Remove it: secrets come from files only. Write it into a file that only the gateway reads, and name that file here. Then replace the secret, which is no longer secret.';
    return { ...problem, remedy: `${remedy}${didYouMean(key, ALARMS_KEYS)}` };
  }
  if (code === 'invalid-name') return { ...problem, remedy: NAME_REMEDY };
  if (inSender && key === 'kind') return { ...problem, remedy: `Use one of: ${SENDER_KINDS.join(', ')}` };
  if (inSender && path.some((part) => SECRET_KEYS.includes(String(part))) && code === 'invalid-value')
    return { ...problem, found: `the value of "${String(path[2])}" is not valid` };
  return problem;
}
