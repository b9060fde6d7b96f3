/** Workflow ids for runs whose caller chose none: `recover-20261124T031500Z-4f2a9c`. */
import { randomBytes } from 'node:crypto';
import { ALARM_RULE_PREFIX } from '../domain/alarms/alarm.js';
import { LEASE_PREFIX } from '../domain/target/target.js';
import { hasControlCharacters, printable } from '../domain/text/text.js';
import { InvalidRunId } from '../temporal/errors.js';

/** https://docs.temporal.io/self-hosted-guide/defaults: an id has at most 1,000 characters. */
const LONGEST_ID = 1_000;

/** A new id: the runbook, the time in UTC and a random part. */
export function newRunId(runbook: string, now = new Date()): string {
  const time = `${now.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
  return `${runbook}-${time}-${randomBytes(3).toString('hex')}`;
}

/** Checks an id that the caller chose. @returns the id. @throws InvalidRunId */
export function requireRunId(id: string): string {
  if (id.trim() === '') throw new InvalidRunId('The id of a run cannot be empty');
  if (hasControlCharacters(id))
    throw new InvalidRunId(`The id ${printable(id.slice(0, LONGEST_ID))} contains control or invisible characters`);
  if (id.length > LONGEST_ID) throw new InvalidRunId(`The id of a run has at most ${LONGEST_ID} characters`);
  if (id.startsWith(LEASE_PREFIX))
    throw new InvalidRunId(`The id ${id} is reserved: ids that begin with ${LEASE_PREFIX} are leases on instances`);
  if (id.startsWith(ALARM_RULE_PREFIX))
    throw new InvalidRunId(`The id ${id} is reserved: ids that begin with ${ALARM_RULE_PREFIX} are alarm rules`);
  return id;
}
