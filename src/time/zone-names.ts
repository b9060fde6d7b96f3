/** Names of time zones: is one such that a Temporal server finds it, and which are there? */
import { offsetsOf } from './offsets.js';

/** Whether a server knows the name. A server finds names as files, so upper and lower case matter. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Z][A-Za-z0-9_+-]*(\/[A-Z][A-Za-z0-9_+-]*)*$/.test(name) || offsetsOf(name) === null) return false;
  const listed = Intl.supportedValuesOf('timeZone');
  return listed.includes(name) || !listed.some((zone) => zone.toLowerCase() === name.toLowerCase());
}

/** Every name worth suggesting, `UTC` first. */
export function timeZoneNames(): string[] {
  return ['UTC', ...Intl.supportedValuesOf('timeZone')];
}
