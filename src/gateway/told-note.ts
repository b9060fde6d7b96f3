/** What a delivery said besides alarms, in the form that the log of a rule keeps. */
import type { AlarmNote } from '../domain/alarms/alarm.js';
import { LONGEST } from '../domain/alarms/alarm-rule-checks.js';
import { clipped } from '../domain/text/json-bytes.js';
import { oneLine } from './senders/alarm-values.js';
import { withoutUrls } from './without-urls.js';

export function toldNote(sender: string, text: string, receivedAtMs: number): AlarmNote {
  return { sender, text: clipped(withoutUrls(oneLine(text)), LONGEST.line), receivedAtMs };
}
