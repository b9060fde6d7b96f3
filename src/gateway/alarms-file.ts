/** The shape of an alarms file, as a zod schema: what editors complete against and what `runbook gateway` and `runbook alarm` check. */
import { z } from 'zod';
import { durationMs } from '../domain/time/duration.js';
import { durationText, NAME, NAME_REMEDY } from '../domain/runbook/runbook.js';

const text = z.string('Write text; quote it when it looks like a number').min(1);
/** Chosen: a rule remembers no longer. */
const LONGEST_MS = 7 * 86_400_000;
const duration = (description: string) =>
  durationText.refine((value) => (durationMs(value) ?? 0) <= LONGEST_MS, 'Write at most 7d').describe(description);

const HOST = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/;
const hosts = (description: string) =>
  z
    .array(z.string().regex(HOST, 'Write one whole host name in lower case, without scheme, port or *'))
    .min(1)
    .describe(description);
const files = (description: string) =>
  z.array(text).min(1).max(10).describe(`${description}. Relative to the alarms file`);
const tokenFiles = files('Files of one bearer token each; several while one is being replaced');

const Alertmanager = z.strictObject({
  kind: z.literal('alertmanager'),
  tokenFiles,
  ignoreLabels: z
    .array(text)
    .default([])
    .describe('Labels that do not tell one alarm from another, such as that of a Prometheus replica'),
});
const TOPIC = /^urn:smn:[a-z0-9-]{1,63}:[0-9a-f]{32}:[A-Za-z0-9][A-Za-z0-9_-]{0,254}$/;
const Smn = z.strictObject({
  kind: z.literal('smn').describe('Huawei Cloud SMN with alarms of Cloud Eye'),
  topics: z
    .array(z.string().regex(TOPIC, 'Write the whole URN of the topic: urn:smn:<region>:<project id>:<name>'))
    .min(1)
    .describe('Topics whose messages are taken, each with its whole URN'),
  certificateFiles: z
    .array(text)
    .default([])
    .describe('Certificates (PEM) that SMN signs with; with any, none is downloaded'),
  certificateHosts: hosts(
    'Hosts that certificates are downloaded from; default: smn.<region>.myhuaweicloud.com',
  ).optional(),
  confirmHosts: hosts('Hosts whose confirmation links are followed').default(['console.huaweicloud.com']),
  header: z
    .strictObject({
      name: z
        .string()
        .regex(
          /^x-(?!smn)[a-z0-9]+(-[a-z0-9]+)*$/,
          'Write a header in lower case that begins with x- and not with x-smn',
        ),
      valueFiles: files('Files of one value each'),
    })
    .optional()
    .describe('A secret header that the subscription sends'),
});
const Webhook = z.strictObject({
  kind: z.literal('webhook').describe('JSON signed as Standard Webhooks describe it'),
  secretFiles: files('Files of one secret each, whsec_ and the base64 of 24 to 64 bytes'),
});
const Bearer = z.strictObject({
  kind: z.literal('bearer').describe('JSON with a bearer token, for a sender that can do no better'),
  tokenFiles,
});
const Sender = z.discriminatedUnion('kind', [Alertmanager, Smn, Webhook, Bearer]);
export const SENDER_KINDS = ['alertmanager', 'smn', 'webhook', 'bearer'] as const;

const Rule = z.strictObject({
  when: z
    .record(text, z.union([text, z.array(text).min(1)]))
    .describe('Labels and the values that fit, one or a list; all must fit. `sender` is the name of the sender'),
  runbook: text.describe('Name of a runbook'),
  target: text.describe('application/component/instance; parts may be ${{ labels.name }}'),
  within: z
    .array(
      z
        .string()
        .regex(
          /^(\*|[^/\s*]+)\/(\*|[^/\s*]+)\/(\*|[^/\s*]+)$/,
          'Write application/component/instance, with * for any one whole part',
        ),
    )
    .min(1, 'Say which targets the rule may act on, as in shop/*/*')
    .max(100)
    .describe('What the target may be; * stands for one whole part'),
  inputs: z.record(z.string(), z.unknown()).default({}).describe('Inputs; text may hold ${{ labels.name }}'),
  debounce: duration('So long an alarm must fire before a run starts').default('0s'),
  coolDown: duration('Counted from the end of any run on the target: no run is started in it').default('10m'),
  atMost: z
    .strictObject({
      runs: z.int('Write a whole number').min(1, 'Write at least 1').max(1_000, 'Write at most 1000'),
      within: duration('In any time of that length').refine((value) => durationMs(value) !== 0, 'Write more than 0s'),
    })
    .optional()
    .describe('Most runs that the rule starts in a time; default: no limit'),
  atOnce: z
    .union([z.int().min(1, 'Write at least 1').max(100, 'Write at most 100'), z.literal('unlimited')])
    .default(1)
    .describe('Runs of the rule that are under way together'),
  onResolved: z
    .enum(['nothing', 'withdraw'])
    .default('nothing')
    .describe('withdraw: a run that has begun no target yet is cancelled when the alarm is resolved'),
});

export const AlarmsFile = z.strictObject({
  owner: z.string().regex(NAME, NAME_REMEDY).describe('Whose rules these are: on the server each is <owner>/<name>'),
  senders: z.record(z.string().regex(NAME, NAME_REMEDY), Sender).describe('Who may send; each to /alarms/<name>'),
  rules: z.record(z.string().regex(NAME, NAME_REMEDY), Rule).describe('The first that fits takes the alarm'),
});

export type SenderEntry = z.infer<typeof Sender>;
export type RuleEntry = z.infer<typeof Rule>;

/** Keys of each part of the file, for "did you mean". */
export const ALARMS_KEYS: readonly string[] = [
  ...[AlarmsFile, Alertmanager, Smn, Webhook, Bearer, Rule].flatMap(({ shape }) => Object.keys(shape)),
  ...['name', 'valueFiles', 'runs'],
];
