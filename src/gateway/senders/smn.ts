/**
 * Messages of Huawei Cloud SMN. The signature proves that SMN sent them, on behalf of any customer: only the list of topics authorises.
 * No certificate is downloaded before type, topic and address are checked, and no link is followed before the signature is.
 */
import { z } from 'zod';
import { proxyAgents } from '../../network/proxy-agents.js';
import { noProxies } from '../../network/proxies.js';
import { isOneOf } from '../../network/same-secret.js';
import { CLOCKS_DIFFER_BY_MS } from './alarm-values.js';
import { refused, requireSecrets } from './authentication.js';
import { CertificateCache } from './certificate-cache.js';
import { readCloudEye } from './cloud-eye.js';
import { parseJson } from './json-body.js';
import type { Delivery, Reading, Refusal, Sender, SenderNetwork, SmnSettings, Unavailable } from './sender.js';
import {
  certificateUrl,
  downloadCertificate,
  readCertificate,
  type FetchCertificate,
  type SigningCertificate,
} from './smn-certificate.js';
import { Confirmations } from './smn-confirmation.js';
import { isSignedBy } from './smn-signature.js';

const TOPIC_URN = /^urn:smn:([a-z0-9-]+):[0-9a-f]{32}:[\w-]{1,255}$/;
/** Counted from the first send, so retries arrive late. Chosen; SMN documents no number. */
const OLDEST_MS = 60 * 60_000;
/** The lifetime of the link. Source: SMN user guide, smn_ug_a9002. */
const OLDEST_CONFIRMATION_MS = 48 * 3_600_000;

/** Characters. Twice the quotas of SMN, which are 256 KB for a message and 512 bytes for a subject. */
const LONGEST_MESSAGE = 512 * 1024;
const LONGEST_SUBJECT = 1_024;

/** A signed value on a line of its own. Without control characters it cannot pretend to be several. */
const SignedLine = z.string().regex(/^\P{Cc}{1,4096}$/u);

const Message = z.object({
  type: SignedLine,
  message_id: SignedLine.max(128),
  topic_urn: SignedLine,
  message: z.string().max(LONGEST_MESSAGE),
  subject: z.string().max(LONGEST_SUBJECT).nullish(),
  timestamp: SignedLine.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/).refine((text) => Date.parse(text) > 0),
  signature: z.string().max(4_096),
  signature_version: z.string().regex(/^v1$/i),
  signing_cert_url: z.string().max(4_096),
  subscribe_url: SignedLine.optional(),
});
type Message = z.infer<typeof Message>;

/** How the sender reaches other hosts. */
export interface SmnNetwork extends SenderNetwork {
  /** Default: downloaded. */
  readonly fetchCertificate?: FetchCertificate;
}

/** @throws Error with a readable reason when the settings would admit everyone or no one */
export function smnSender(
  name: string,
  settings: SmnSettings,
  { proxyFor = noProxies, follow, fetchCertificate }: SmnNetwork = {},
): Sender {
  const agentsFor = proxyAgents(proxyFor);
  const download: FetchCertificate =
    fetchCertificate ?? ((url) => downloadCertificate(url, { proxy: agentsFor(url), follow }));
  const { topics, header } = settings;
  requireSecrets(name, 'topic', topics);
  const misspelt = topics.find((topic) => !TOPIC_URN.test(topic));
  if (misspelt !== undefined) throw new Error(`the sender ${name} has a topic that is not a topic URN: ${misspelt}`);
  if (header !== null) requireSecrets(name, `value for the header ${header.name}`, header.values);
  const certificates = certificatesFor(name, settings, download);
  const confirmations = new Confirmations(agentsFor, follow);
  const admits = (headers: Delivery['headers']) => admitHeader(headers, header);
  return {
    name,
    admits,
    async read({ headers, body, receivedAtMs }) {
      const message = admits(headers) ?? readMessage(body, settings);
      if ('kind' in message) return message;
      const problem = headersDiffer(headers, message) ?? confirmAddressProblem(message, settings);
      if (problem !== null) return problem;
      const keys = await certificates(message, receivedAtMs);
      if ('kind' in keys) return keys;
      if (!keys.some(({ key }) => isSignedBy(key, message)))
        return refused(403, 'forged', `the signature of message ${message.message_id} is wrong`);
      return ageProblem(message, receivedAtMs) ?? contentsOf(message, name, confirmations);
    },
    readUnchecked(body) {
      const message = readMessage(body, settings);
      return 'kind' in message ? message : contentsOf(message, name, confirmations);
    },
  };
}

/** A confirmation may lack the header, because the subscription is not active yet; its type is compared with the signed one later. */
function admitHeader(headers: Delivery['headers'], header: SmnSettings['header']): Refusal | null {
  if (header === null || headers['x-smn-message-type'] === 'SubscriptionConfirmation') return null;
  return isOneOf(headers[header.name.toLowerCase()] ?? '', header.values)
    ? null
    : refused(401, 'unauthorized', `the header ${header.name} is missing or wrong`);
}

/** Checks type and topic before anything else is used. */
function readMessage(body: Buffer, { topics }: SmnSettings): Message | Refusal {
  const parsed = parseJson(body);
  if (parsed.kind === 'refused') return parsed;
  const { success, data: message, error } = Message.safeParse(parsed.json);
  if (!success)
    return refused(400, 'unreadable', `not a message of SMN: ${fieldOf(error)} is missing or not as documented`);
  if (!['Notification', 'SubscriptionConfirmation', 'UnsubscribeConfirmation'].includes(message.type))
    return refused(403, 'unreadable', 'an unknown type of message');
  if (message.type !== 'Notification' && message.subscribe_url === undefined)
    return refused(400, 'unreadable', 'subscribe_url is missing');
  if (!topics.includes(message.topic_urn)) return refused(403, 'foreignTopic', 'the topic is not in the alarms file');
  return message;
}

function fieldOf({ issues: [issue] }: z.ZodError): string {
  return issue?.path[0]?.toString() ?? 'it';
}

function headersDiffer(headers: Delivery['headers'], message: Message): Refusal | null {
  const signed = {
    'x-smn-message-type': message.type,
    'x-smn-message-id': message.message_id,
    'x-smn-topic-urn': message.topic_urn,
  };
  const other = Object.entries(signed).find(([name, value]) => (headers[name] ?? value) !== value);
  return other === undefined ? null : refused(403, 'forged', `the header ${other[0]} differs from what was signed`);
}

function confirmAddressProblem({ type, subscribe_url = '' }: Message, { confirmHosts }: SmnSettings): Refusal | null {
  if (type !== 'SubscriptionConfirmation') return null;
  const url = URL.canParse(subscribe_url) ? new URL(subscribe_url) : null;
  const isGood =
    url?.protocol === 'https:' && confirmHosts.includes(url.host) && `${url.username}${url.password}${url.hash}` === '';
  return isGood ? null : refused(403, 'forged', 'subscribe_url is not https on a host of confirmHosts');
}

type Keys = readonly Pick<SigningCertificate, 'key'>[] | Refusal | Unavailable;

/** The pinned certificates, or the one that the message names if there are none. */
function certificatesFor(
  name: string,
  settings: SmnSettings,
  fetchCertificate: FetchCertificate,
): (message: Message, nowMs: number) => Promise<Keys> {
  const pinned = settings.certificates.map((pem, index) => {
    try {
      return readCertificate(pem);
    } catch (error) {
      throw new Error(`certificate ${index + 1} of the sender ${name}: ${messageOf(error)}`, { cause: error });
    }
  });
  if (pinned.length > 0) return async () => pinned;
  const regions = settings.topics.map(regionOf);
  const hosts =
    settings.certificateHosts.length > 0
      ? settings.certificateHosts
      : regions.map((region) => `smn.${region}.myhuaweicloud.com`);
  const cache = new CertificateCache(fetchCertificate);
  return async ({ signing_cert_url: text, topic_urn: topic }, nowMs) => {
    const url = certificateUrl(text, regionOf(topic), hosts);
    if (url === null)
      return refused(
        403,
        'forged',
        "signing_cert_url is not a certificate of the topic's region on a host of certificateHosts",
      );
    try {
      const certificate = await cache.get(url, nowMs);
      if (nowMs >= certificate.validFromMs && nowMs <= certificate.validToMs) return [certificate];
      return {
        kind: 'unavailable',
        what: `the certificate of SMN is not valid now (${url.host}${url.pathname}): pin it if it is genuine`,
      };
    } catch (error) {
      return { kind: 'unavailable', what: `no certificate of SMN (${url.host}${url.pathname}): ${messageOf(error)}` };
    }
  };
}

function regionOf(topicUrn: string): string {
  return TOPIC_URN.exec(topicUrn)?.[1] ?? '';
}

function ageProblem({ type, timestamp }: Message, receivedAtMs: number): Refusal | null {
  const ageMs = receivedAtMs - Date.parse(timestamp);
  const oldestMs = type === 'SubscriptionConfirmation' ? OLDEST_CONFIRMATION_MS : OLDEST_MS;
  if (ageMs <= oldestMs && ageMs >= -CLOCKS_DIFFER_BY_MS) return null;
  const sent = `first sent ${Math.round(ageMs / 1_000)} s before it arrived`;
  return refused(403, 'tooOld', `${sent}: at most ${oldestMs / 1_000} s, or the clocks differ`);
}

function contentsOf(message: Message, sender: string, confirmations: Confirmations): Reading {
  const { type, message_id: messageId, topic_urn: topicUrn, timestamp, subscribe_url: subscribeUrl = '' } = message;
  const note = (text: string): Reading => ({ kind: 'alarms', alarms: [], notes: [text] });
  if (type === 'UnsubscribeConfirmation')
    return note(`UNSUBSCRIBED: ${topicUrn} sends no more alarms here until someone subscribes again`);
  if (type === 'SubscriptionConfirmation') {
    if (confirmations.has(messageId)) return note(`the subscription of ${topicUrn} is already confirmed`);
    return { kind: 'confirmation', topicUrn, confirm: () => confirmations.confirm(messageId, new URL(subscribeUrl)) };
  }
  const { message: text, subject } = message;
  const sentAtMs = Date.parse(timestamp);
  return readCloudEye({ sender, topicUrn, messageId, subject: subject ?? '', message: text, sentAtMs });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown';
}
