/** What every kind of sender has in common: what it reads of a delivery, and its settings. Each kind authenticates in its own way; all give the same alarms. */
import type { Alarm } from '../../domain/alarms/alarm.js';
import type { FollowOutgoing } from '../../network/follow-request.js';
import type { ProxyFor } from '../../network/proxies.js';

/** How a sender downloads what it needs itself, such as a certificate. */
export interface SenderNetwork {
  /** Default: always direct. */
  readonly proxyFor?: ProxyFor | undefined;
  /** Default: requests are not followed. */
  readonly follow?: FollowOutgoing | undefined;
}

/** One POST. */
export interface Delivery {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The bytes as received: signatures cover them. */
  readonly body: Buffer;
  /** Epoch milliseconds. */
  readonly receivedAtMs: number;
}

/** Why a delivery was refused: the field `error` of the answer, and a label of the metrics. */
export type RefusalReason = 'unauthorized' | 'forged' | 'foreignTopic' | 'tooOld' | 'unreadable' | 'tooLarge';

/** A delivery that is not accepted, with the status of the answer. */
export interface Refusal {
  readonly kind: 'refused';
  readonly status: 400 | 401 | 403 | 413;
  readonly reason: RefusalReason;
  /** One line for the log, without any secret or any URL that holds a token. */
  readonly what: string;
}

/** The delivery cannot be read now because of trouble on our side. The same delivery may be accepted later. */
export interface Unavailable {
  readonly kind: 'unavailable';
  /** One line for the log. */
  readonly what: string;
}

/** A subscription that waits for confirmation, of a topic in the alarms file. */
interface Confirmation {
  readonly kind: 'confirmation';
  readonly topicUrn: string;
  /** Confirms the subscription; not called in a dry run. @throws Error with a readable reason when the other side does not accept it */
  confirm(): Promise<void>;
}

/** The alarms of a delivery. */
export interface AlarmsRead {
  readonly kind: 'alarms';
  readonly alarms: readonly Alarm[];
  /** Warnings for the log: what was left out and why, and what people should know. */
  readonly notes: readonly string[];
}

/** What a delivery contains. */
export type Reading = AlarmsRead | Confirmation | Refusal | Unavailable;

/** A sender of the alarms file. Whatever a body holds, its methods return a reading and do not throw. */
export interface Sender {
  /** Its name in the alarms file. */
  readonly name: string;
  /** Checks the headers before the body is read. @returns `null` when the body may be read */
  admits(headers: Delivery['headers']): Refusal | null;
  /** Authenticates and reads a delivery. */
  read(delivery: Delivery): Promise<Reading>;
  /** Reads a body without checking who sent it, for dry runs. */
  readUnchecked(body: Buffer, receivedAtMs: number): Reading;
}

/** Settings of a sender, with the secrets themselves (no line ends). Several secrets are valid together while one replaces another. */
export type SenderSettings = AlertmanagerSettings | SmnSettings | WebhookSettings | BearerSettings;

/** Prometheus Alertmanager, or another sender of its format. */
export interface AlertmanagerSettings {
  readonly kind: 'alertmanager';
  readonly tokens: readonly string[];
  /** Labels that do not distinguish alerts, such as the replica label of a Prometheus pair. */
  readonly ignoreLabels: readonly string[];
}

/** Huawei Cloud Simple Message Notification, which also delivers the alarms of Cloud Eye. */
export interface SmnSettings {
  readonly kind: 'smn';
  /** `urn:smn:<region>:<project id>:<name>`. Required, because the signature proves only that SMN sent the message, for any customer. */
  readonly topics: readonly string[];
  /** PEM. If there are any, no certificate is downloaded, and their dates are not checked. */
  readonly certificates: readonly string[];
  /** Hosts that certificates may be downloaded from. If empty: `smn.<region>.myhuaweicloud.com` of each topic. */
  readonly certificateHosts: readonly string[];
  /** Hosts whose confirmation links are followed. */
  readonly confirmHosts: readonly string[];
  /** A header that the subscription sends as a second factor. */
  readonly header: { readonly name: string; readonly values: readonly string[] } | null;
}

/** JSON signed as Standard Webhooks describes. */
export interface WebhookSettings {
  readonly kind: 'webhook';
  /** `whsec_` and the base64 of 24 to 64 bytes. */
  readonly secrets: readonly string[];
}

/** JSON with a token, for a sender that cannot sign: the token proves neither content nor time. */
export interface BearerSettings {
  readonly kind: 'bearer';
  readonly tokens: readonly string[];
}
