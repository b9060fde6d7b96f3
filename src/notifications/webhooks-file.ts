/** The zod schema of a notifications file. Editors complete against it; the worker and `runbook notify` check with it. */
import { z } from 'zod';
import { WEBHOOK_SECRET_PREFIX } from '../domain/notifications/delivery.js';
import { DEFAULT_EVENTS, RUN_EVENTS } from '../domain/notifications/events.js';
import { NAME, NAME_REMEDY } from '../domain/runbook/names.js';

const variable = (description: string) =>
  z
    .string(`Write the name of an environment variable, such as ${WEBHOOK_SECRET_PREFIX}OPS_URL`)
    .regex(
      new RegExp(`^${WEBHOOK_SECRET_PREFIX}[A-Z0-9_]{1,80}$`),
      `Write the name of an environment variable that begins with ${WEBHOOK_SECRET_PREFIX}, never the secret itself`,
    )
    .describe(description);

const common = {
  on: z
    .array(z.enum(RUN_EVENTS))
    .min(1, `Name at least one of: ${RUN_EVENTS.join(', ')}`)
    .default([...DEFAULT_EVENTS])
    .describe('Its events, where no runbook names it. Default: all but done'),
  allowHttp: z.boolean('Write true or false').default(false).describe('true allows http to this machine (loopback)'),
};
const urlEnv = variable('Variable with the address, which is a secret: anyone who has it can post');

const Generic = z.strictObject({
  kind: z.literal('webhook').describe('JSON signed as Standard Webhooks describes'),
  url: z.string('Write an https address').min(1).optional().describe('The address, where it holds no secret'),
  urlEnv: urlEnv.optional(),
  secretEnvs: z
    .array(variable('Variable with a secret: whsec_ and the base64 of 24 to 64 bytes'))
    .min(1, 'Name at least one variable')
    .max(5, 'Name at most 5 variables')
    .describe('Variables with one secret each; several while one is being replaced'),
  ...common,
});
const Slack = z.strictObject({
  kind: z.literal('slack').describe('Incoming webhook of Slack'),
  urlEnv,
  ...common,
});
const Teams = z.strictObject({
  kind: z.literal('teams').describe('Webhook of Microsoft Teams Workflows'),
  urlEnv,
  ...common,
});
const DingTalk = z.strictObject({
  kind: z.literal('dingtalk').describe('Custom robot of DingTalk'),
  urlEnv,
  secretEnv: variable('Variable with the signing secret of the robot, which begins with SEC').optional(),
  ...common,
});
const Feishu = z.strictObject({
  kind: z.literal('feishu').describe('Custom bot of Feishu or Lark'),
  urlEnv,
  secretEnv: variable('Variable with the signing secret of the bot').optional(),
  ...common,
});
const WeCom = z.strictObject({
  kind: z.literal('wecom').describe('Group robot of WeCom'),
  urlEnv,
  ...common,
});
const Entry = z.discriminatedUnion('kind', [Generic, Slack, Teams, DingTalk, Feishu, WeCom]);

/** Chosen: all are notified at once. */
const MOST_WEBHOOKS = 20;

/** The whole file. */
export const NotificationsFile = z.strictObject({
  webhooks: z
    .record(z.string().regex(NAME, NAME_REMEDY), Entry)
    .refine((entries) => Object.keys(entries).length > 0, 'Name at least one webhook')
    .refine((entries) => Object.keys(entries).length <= MOST_WEBHOOKS, `Name at most ${MOST_WEBHOOKS} webhooks`)
    .describe('Who is notified, by the names that runbooks and `runbook notify test` use'),
});

/** One webhook of the file. */
export type WebhookEntry = z.infer<typeof Entry>;
/** Every kind of webhook. */
export type WebhookKind = WebhookEntry['kind'];
/** Kinds by name, for messages. */
export const WEBHOOK_KINDS: readonly WebhookKind[] = Entry.options.map(({ shape }) => shape.kind.value);
/** Every key of a webhook, for "did you mean". */
export const WEBHOOK_KEYS: readonly string[] = Entry.options.flatMap(({ shape }) => Object.keys(shape));
