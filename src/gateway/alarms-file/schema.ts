/** The zod schema of an alarms file. Editors complete against it; `runbook gateway` and `runbook alarm` check with it. */
import { z } from 'zod';
import { durationMs } from '../../domain/time/duration.js';
import { durationText } from '../../domain/runbook/duration-shapes.js';
import { NAME, NAME_REMEDY } from '../../domain/runbook/names.js';

const text = z.string('Write text; quote it when it looks like a number').min(1);
/** Chosen: how long a rule remembers. */
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
    .describe('Labels that do not distinguish alarms, such as the replica label of Prometheus'),
});
const TOPIC = /^urn:smn:[a-z0-9-]{1,63}:[0-9a-f]{32}:[A-Za-z0-9][A-Za-z0-9_-]{0,254}$/;
const Smn = z.strictObject({
  kind: z.literal('smn').describe('Huawei Cloud SMN with alarms of Cloud Eye'),
  topics: z
    .array(z.string().regex(TOPIC, 'Write the whole URN of the topic: urn:smn:<region>:<project id>:<name>'))
    .min(1)
    .describe('Topics whose messages are accepted, each with its whole URN'),
  certificateFiles: z
    .array(text)
    .default([])
    .describe('Certificates (PEM) that SMN signs with. If there are any, none is downloaded'),
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
  kind: z.literal('webhook').describe('JSON signed as Standard Webhooks describes'),
  secretFiles: files('Files of one secret each, whsec_ and the base64 of 24 to 64 bytes'),
});
const Bearer = z.strictObject({
  kind: z.literal('bearer').describe('JSON with a bearer token, for a sender that cannot sign'),
  tokenFiles,
});
const Sender = z.discriminatedUnion('kind', [Alertmanager, Smn, Webhook, Bearer]);
/** Every kind of sender. */
export const SENDER_KINDS: readonly SenderEntry['kind'][] = Sender.options.map(({ shape }) => shape.kind.value);

const Rule = z.strictObject({
  when: z
    .record(text, z.union([text, z.array(text).min(1)]))
    .describe('Labels and the values that match, one or a list. All must match. `sender` is the name of the sender'),
  runbook: text.describe('Name of a runbook'),
  target: text.describe('application/component/instance; parts may contain ${{ labels.name }}'),
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
    .describe('What the target may be; * matches one whole part'),
  inputs: z
    .record(z.string(), z.unknown())
    .default({})
    .describe('Inputs of the runbook; text may contain ${{ labels.name }}'),
  debounce: duration('How long an alarm must keep firing before the run starts').default('0s'),
  coolDown: duration('How long after the end of any run on the target no run starts').default('10m'),
  atMost: z
    .strictObject({
      runs: z.int('Write a whole number').min(1, 'Write at least 1').max(1_000, 'Write at most 1000'),
      within: duration('The length of time that is counted').refine(
        (value) => durationMs(value) !== 0,
        'Write more than 0s',
      ),
    })
    .optional()
    .describe('The most runs that the rule starts within a time; default: no limit'),
  atOnce: z
    .union([z.int().min(1, 'Write at least 1').max(100, 'Write at most 100'), z.literal('unlimited')])
    .default(1)
    .describe('The most runs of the rule that are under way together'),
  onResolved: z
    .enum(['nothing', 'withdraw'])
    .default('nothing')
    .describe('withdraw: when the alarm is resolved, a run that has not begun a target is cancelled'),
});

/** The whole file. */
export const AlarmsFile = z.strictObject({
  owner: z.string().regex(NAME, NAME_REMEDY).describe('Whose rules these are: on the server each is <owner>/<name>'),
  senders: z
    .record(z.string().regex(NAME, NAME_REMEDY), Sender)
    .describe('Senders of alarms. Each sends to /alarms/<name>'),
  rules: z.record(z.string().regex(NAME, NAME_REMEDY), Rule).describe('The first rule that matches takes the alarm'),
});

/** A sender of the file. */
export type SenderEntry = z.infer<typeof Sender>;
/** A rule of the file. */
export type RuleEntry = z.infer<typeof Rule>;

/** Every key of the file, for "did you mean". */
export const ALARMS_KEYS: readonly string[] = [
  ...[AlarmsFile, ...Sender.options, Rule].flatMap(({ shape }) => Object.keys(shape)),
  ...['name', 'valueFiles', 'runs'],
];
