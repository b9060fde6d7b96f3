/** A configured webhook with its secrets. */
import type { RunEvent } from '../domain/notifications/events.js';
import type { Secret } from '../servicestage/secret.js';
import type { WebhookKind } from './webhooks-file.js';

/** Who is notified, and how. */
export interface Webhook {
  readonly name: string;
  readonly kind: WebhookKind;
  /** The whole address; that of a chat tool is a secret. */
  readonly url: Secret;
  /** `host:port` of the address, which may be shown. */
  readonly host: string;
  /** Signing secrets; the first is the current one. */
  readonly secrets: readonly Secret[];
  /** Its events where no runbook names it. */
  readonly on: readonly RunEvent[];
}
