/** Judges an installation by its facts: one table of all checks. Pure; `facts.ts` has the facts. */
import { describeProblem } from '../domain/failures.js';
import type {
  Answer,
  ConfigurationFacts,
  Facts,
  FileFacts,
  FilesRead,
  ServiceStageFacts,
  TemporalFacts,
} from './facts.js';
import { fail, notChecked, ok, warn, type Finding, type Verdict } from './finding.js';
import {
  judgeActing,
  judgeClock,
  judgeCredentials,
  judgeEndpoint,
  judgeProject,
  judgeReading,
  judgeUser,
} from './judge-service-stage.js';
import {
  count,
  judgeCertificate,
  judgeNamespace,
  judgeRetention,
  judgeRights,
  judgeSearchAttributes,
  judgeServer,
  judgeWorkers,
} from './judge-temporal.js';

/** A finding and the check that it belongs to. */
export interface Line extends Finding {
  /** Stable: scripts may rely on it. */
  readonly check: Check;
}

/** `null`: the check does not apply. */
type Judge = (facts: Facts) => Finding | null;

const CHECKS = {
  configuration: ({ configuration }) => judgeConfiguration(configuration),
  'temporal server': ofTemporal(judgeServer),
  'temporal certificate': ({ temporal, nowMs }) => temporal && judgeCertificate(temporal, nowMs),
  'temporal namespace': ofTemporal(judgeNamespace),
  'temporal retention': ofTemporal(judgeRetention),
  'temporal search attributes': ofTemporal(judgeSearchAttributes),
  'temporal rights': ofTemporal(judgeRights),
  workers: ofTemporal(judgeWorkers),
  'servicestage endpoint': ofServiceStage(judgeEndpoint),
  'servicestage credentials': ofServiceStage(judgeCredentials),
  'servicestage project': ofServiceStage(judgeProject),
  'servicestage reading': ofServiceStage(judgeReading),
  'servicestage acting': ofServiceStage(judgeActing),
  'iam user': ofServiceStage(judgeUser),
  clock: ofServiceStage(judgeClock),
  runbooks: ofFiles('runbooks', 'runbook'),
  calendars: ofFiles('calendars', 'calendar'),
  'alarms file': ofFiles('alarms', 'rule'),
  'notifications file': ofFiles('notifications', 'webhook'),
  'named files': ofFiles('given', 'file'),
} as const satisfies Record<string, Judge>;

/** The names of all checks. */
export type Check = keyof typeof CHECKS;

/** Every check that applies, in the order in which one would repair them. */
export function judge(facts: Facts): Line[] {
  return Object.entries(CHECKS).flatMap(([check, judgeIt]: [string, Judge]) => {
    const finding = judgeIt(facts);
    return finding === null ? [] : [{ check: check as Check, ...finding }];
  });
}

/** How many lines have each verdict. */
export function totals(lines: readonly Line[]): Readonly<Record<Verdict, number>> {
  const of = (verdict: Verdict) => lines.filter((line) => line.verdict === verdict).length;
  return { ok: of('ok'), warn: of('warn'), fail: of('fail'), notChecked: of('notChecked') };
}

const NO_CONFIGURATION = notChecked('the configuration has problems');

function ofTemporal(judgeIt: (facts: TemporalFacts, nowMs: number) => Finding): Judge {
  return ({ temporal, nowMs }) => (temporal === null ? NO_CONFIGURATION : judgeIt(temporal, nowMs));
}

function ofServiceStage(judgeIt: (facts: ServiceStageFacts) => Finding): Judge {
  return ({ serviceStage }) => (serviceStage === null ? NO_CONFIGURATION : judgeIt(serviceStage));
}

function ofFiles(kind: keyof FileFacts, noun: string): Judge {
  return ({ files }) => (files === null ? NO_CONFIGURATION : judgeFiles(files[kind], noun));
}

/** Only the first problems are shown: `runbook validate` lists all. */
const MOST_SHOWN = 3;

function judgeFiles(read: Answer<FilesRead>, noun: string): Finding {
  if (read.kind === 'unasked') return notChecked(read.why);
  if (read.kind === 'failed') return fail(`cannot be read: ${read.reason}`, 'Name a file that this process can read');
  const { count: number, problems } = read.value;
  if (problems.length === 0) return ok(count(number, noun));
  return fail(problemsIn(problems.map(describeProblem)), 'Correct the files; runbook validate FILE shows all problems');
}

function problemsIn(described: readonly string[]): string {
  const more = described.length - MOST_SHOWN;
  return `${described.slice(0, MOST_SHOWN).join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}

function judgeConfiguration({ problems, warnings, secretsInFiles }: ConfigurationFacts): Finding {
  if (problems.length > 0)
    return fail(problems.map(describeProblem).join('; '), 'Correct the variables; docs/configuration.md lists them');
  if (warnings.length > 0) return warn(warnings.join('; '), 'Correct the variables');
  const followed = secretsInFiles.length === 0 ? '' : `; read again when they change: ${secretsInFiles.join(', ')}`;
  return ok(`no problems${followed}`);
}
