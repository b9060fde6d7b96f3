/** The only reader of alarms files: YAML in, senders and rules or every problem with file, line and column out. Secrets are read from the files it names, and never shown. */
import type { Brakes } from '../domain/alarms/alarm.js';
import { durationMs } from '../domain/time/duration.js';
import type { Problem } from '../domain/failures.js';
import { didYouMean } from '../domain/text/suggest.js';
import { NAME_REMEDY } from '../domain/runbook/runbook.js';
import type { RunbookLookup } from '../runbooks/catalogue.js';
import { problemOfKind } from '../yaml/file-kind.js';
import { problemsOfIssues } from '../yaml/shape-problems.js';
import { readYamlFile, YamlDocument, type FileKind, type Path, type PathProblem } from '../yaml/yaml-document.js';
import { checkOrder, checkRule, valuesOf } from './alarm-checks.js';
import { ALARMS_KEYS, AlarmsFile, SENDER_KINDS, type RuleEntry, type SenderEntry } from './alarms-file.js';
import type { AlarmRule } from './match-alarm.js';
import type { SenderSettings } from './sender.js';
import { readSettings, type ReadSecret } from './sender-settings.js';

const ALARMS_FILE: FileKind = {
  noun: 'alarms-file',
  begin: 'Begin with owner:, senders: and rules:',
  size: 'Split the rules over several files, each with an owner and a gateway of its own',
};

export interface ReadAlarms {
  readonly owner: string;
  readonly senders: readonly { readonly name: string; readonly settings: SenderSettings }[];
  readonly rules: readonly AlarmRule[];
}

export interface ReadOptions {
  readonly findRunbook: (name: string) => Promise<RunbookLookup>;
  /** `null`: the files of secrets are not looked at, and the senders let nobody in. */
  readonly readSecret: ReadSecret | null;
}

/** @returns senders and rules, or every problem at once */
export async function readAlarmsFile(file: string, options: ReadOptions): Promise<ReadAlarms | Problem[]> {
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
    ...nothingIn(raw),
    ...(parsed.success ? [] : problemsOfIssues(parsed.error.issues, raw, AlarmsFile).map(inWordsOfAlarms)),
  ];
  // Each part that has its shape is checked further, also beside others that have not.
  const senders: ReadAlarms['senders'][number][] = [];
  for (const [name, entry] of wellShaped<SenderEntry>(raw, 'senders')) {
    const settings = await readSettings(entry, options.readSecret);
    if (Array.isArray(settings)) problems.push(...under(['senders', name], settings));
    else senders.push({ name, settings });
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

function under(path: Path, problems: readonly PathProblem[]): PathProblem[] {
  return problems.map((problem) => ({ ...problem, path: [...path, ...problem.path] }));
}

function ruleOf(name: string, entry: RuleEntry): AlarmRule {
  const { runbook, target, within, inputs } = entry;
  const when = Object.fromEntries(Object.entries(entry.when).map(([label, values]) => [label, valuesOf(values)]));
  return { name, when, runbook, target, within, inputs, brakes: brakesOf(entry) };
}

function brakesOf({ debounce, coolDown, atMost, atOnce, onResolved }: RuleEntry): Brakes {
  // The shape proves that each is a duration.
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

function nothingIn(raw: object): PathProblem[] {
  const remedies = {
    senders: 'Name at least one sender; without one nobody can send',
    rules: 'Write at least one rule; without one nothing is ever started',
  };
  return (['senders', 'rules'] as const)
    .filter((part) => Object.hasOwn(raw, part) && keysOf(raw, part).length === 0)
    .map((part) => ({ code: 'empty-file', path: [part], found: `${part} is empty`, remedy: remedies[part] }));
}

/** zod passes over a key of that name without a word, and so over the condition that it was to be. */
function prototypeKeys(value: unknown, path: Path): PathProblem[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const found = '"__proto__" is not a valid name';
    const own = [...path, key];
    const here = { code: 'invalid-name', path: own, found, remedy: 'Use another name', onKey: true as const };
    return [...(key === '__proto__' ? [here] : []), ...(path.length < 6 ? prototypeKeys(item, own) : [])];
  });
}

/** Where somebody may have written a secret itself: what stands there is never shown. */
const SECRET_KEYS = ['tokenFiles', 'secretFiles', 'certificateFiles', 'header', 'valueFiles'];
const LIKE_A_SECRET = /token|secret|passw|credential|authorization|key|^values?$/i;

/** The same words as for runbook files, with this file's own keys and names. */
function inWordsOfAlarms(problem: PathProblem): PathProblem {
  const { code, path } = problem;
  const key = String(path.at(-1));
  const inSender = path[0] === 'senders' && path.length > 2;
  if (code === 'unknown-key' && inSender && LIKE_A_SECRET.test(key) && !ALARMS_KEYS.includes(key)) {
    const remedy =
      'Take it out: secrets come from files only. Write it into a file that only the gateway reads and name that; what stood here is no secret any more.';
    return { ...problem, remedy: `${remedy}${didYouMean(key, ALARMS_KEYS)}` };
  }
  if (code === 'invalid-name') return { ...problem, remedy: NAME_REMEDY };
  if (inSender && key === 'kind') return { ...problem, remedy: `Use one of: ${SENDER_KINDS.join(', ')}` };
  if (inSender && path.some((part) => SECRET_KEYS.includes(String(part))) && code === 'invalid-value')
    return { ...problem, found: `what stands at "${String(path[2])}" does not fit` };
  return problem;
}
