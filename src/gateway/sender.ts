/** A sender of alarms: what is let in, and what a delivery says. Each kind proves in its own way who sent it; all give the same alarms. */
import type { Alarm } from '../domain/alarms/alarm.js';
import { noProxies, type ProxyFor } from '../network/proxies.js';
import { alertmanagerSender } from './senders/alertmanager.js';
import { bearerSender } from './senders/bearer.js';
import { smnSender } from './senders/smn.js';
import { webhookSender } from './senders/webhook.js';

/** One POST. */
export interface Delivery {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The bytes as they came: signatures are over them. */
  readonly body: Buffer;
  readonly receivedAtMs: number;
}

export type RefusalReason = 'unauthorized' | 'forged' | 'foreignTopic' | 'tooOld' | 'unreadable' | 'tooLarge';

export interface Refusal {
  readonly kind: 'refused';
  readonly status: 400 | 401 | 403 | 413;
  readonly reason: RefusalReason;
  /** For the log, one line: never a secret, never a URL with a token. */
  readonly what: string;
}

/** A confirmation that was proved to come from a topic of the configuration. */
interface Confirmation {
  readonly kind: 'confirmation';
  readonly topicUrn: string;
  /** Subscribes. Not called in a dry run. @throws Error in words when the other side does not take it: ask to be sent it again */
  confirm(): Promise<void>;
}

export type Reading =
  | {
      readonly kind: 'alarms';
      readonly alarms: readonly Alarm[];
      /** Warnings for the log: what was left out and why, and what people should know. */
      readonly notes: readonly string[];
    }
  | Confirmation
  | Refusal
  /** Our own trouble: the same delivery may pass later. */
  | { readonly kind: 'unavailable'; readonly what: string };

/** Whatever a body holds, a reading is given; nothing throws. */
export interface Sender {
  /** Its name in the alarms file. */
  readonly name: string;
  /** Before the body is read: `null` when the headers are good enough to go on. */
  admits(headers: Delivery['headers']): Refusal | null;
  read(delivery: Delivery): Promise<Reading>;
  /** The same of a body alone, with nothing proved about who sent it: for dry runs. */
  readUnchecked(body: Buffer, receivedAtMs: number): Reading;
}

/** Secrets are the texts themselves, without line ends; several while one takes over from another. */
export type SenderSettings = AlertmanagerSettings | SmnSettings | WebhookSettings | BearerSettings;

export interface AlertmanagerSettings {
  readonly kind: 'alertmanager';
  readonly tokens: readonly string[];
  /** Labels that do not count for whether two alerts are the same: those of the replicas of a Prometheus pair. */
  readonly ignoreLabels: readonly string[];
}

/** Simple Message Notification of Huawei Cloud, which also brings the alarms of Cloud Eye. */
export interface SmnSettings {
  readonly kind: 'smn';
  /** `urn:smn:<region>:<project id>:<name>`: the signature proves only that SMN sent it, for whomever. */
  readonly topics: readonly string[];
  /** PEM. When there are any nothing is downloaded, and their dates do not count. */
  readonly certificates: readonly string[];
  /** Where certificates may be downloaded from; none: `smn.<region>.myhuaweicloud.com` of each topic. */
  readonly certificateHosts: readonly string[];
  /** Where subscriptions may be confirmed. */
  readonly confirmHosts: readonly string[];
  /** A header that the subscription was given as a second factor. */
  readonly header: { readonly name: string; readonly values: readonly string[] } | null;
}

/** Standard Webhooks. */
export interface WebhookSettings {
  readonly kind: 'webhook';
  /** `whsec_` and the base64 of 24 to 64 bytes. */
  readonly secrets: readonly string[];
}

/** A token in the header, where the sender can do no better: it proves neither the content nor the time. */
export interface BearerSettings {
  readonly kind: 'bearer';
  readonly tokens: readonly string[];
}

/** @param proxyFor for what a sender fetches itself. @throws Error in words, without the secret, when the settings would let anybody in or nobody */
export function makeSender(name: string, settings: SenderSettings, proxyFor: ProxyFor = noProxies): Sender {
  switch (settings.kind) {
    case 'alertmanager':
      return alertmanagerSender(name, settings);
    case 'smn':
      return smnSender(name, settings, { proxyFor });
    case 'webhook':
      return webhookSender(name, settings);
    case 'bearer':
      return bearerSender(name, settings);
  }
}
