/** Turns the setting of a transcript into the rules of its decision. */
import type { Action } from '../../../../src/domain/target/actions.js';
import type { OnceRules } from '../../../../src/domain/once/events.js';
import { DEFAULT_LIMITS, withHeartbeatTimeout } from '../../../../src/domain/once/limits.js';
import { aTarget } from '../../../support/build.js';
import { parseReading } from './transcript-inputs.js';
import { parseDuration, parseTime, STORY_BEGINS_AT_MS } from './transcript-text.js';

const NAMES = [
  'action',
  'baseline',
  'known cloud jobs',
  'deadline',
  'gate closes at',
  'verified within',
  'held for',
  'state before',
  'on cancel',
];

/** @param settings by name, as transcripts/README.md lists them */
export function rulesOf(settings: ReadonlyMap<string, string>): OnceRules {
  const unknown = [...settings.keys()].find((name) => !NAMES.includes(name));
  if (unknown !== undefined) throw new TypeError(`There is no setting "${unknown}"`);
  const [name = 'none', ...parameters] = (settings.get('action') ?? 'none').split(' ');
  const given = parameters.map((parameter) => parameter.split('='));
  const values = given.map(([key, value]) => [key, key === 'replica' ? Number(value) : value]);
  const action = name === 'none' ? null : ({ action: name, ...Object.fromEntries(values) } as Action);
  // The baseline was read before the step was scheduled.
  const baseline = parseReading(settings.get('baseline') ?? 'RUNNING 2/2, J0 SUCCEEDED', STORY_BEGINS_AT_MS - 500);
  const { lastJobId } = baseline;
  const known = settings.get('known cloud jobs')?.split(', ') ?? (lastJobId === null ? [] : [lastJobId]);
  const closesAt = settings.get('gate closes at');
  const duration = (setting: string, byDefault: string) => parseDuration(settings.get(setting) ?? byDefault);
  return {
    action,
    target: aTarget(),
    before: {
      observation: action === null ? null : baseline,
      lastJobId,
      knownCloudJobIds: known,
      ...(settings.get('state before') === 'only reached' ? { notHeld: true } : {}),
    },
    deadlineAtMs: STORY_BEGINS_AT_MS + duration('deadline', '10m'),
    ...(closesAt === undefined
      ? {}
      : { closing: { atMs: parseTime(closesAt), failure: 'OutsideWindow', why: 'the maintenance window is over' } }),
    verify: { withinMs: duration('verified within', '60s'), stableMs: duration('held for', '2s') },
    verifyAfterCancel: settings.get('on cancel') !== 'leave',
    limits: withHeartbeatTimeout(DEFAULT_LIMITS),
  };
}
