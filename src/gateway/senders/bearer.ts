/** Senders that can only show a token. Anyone who has the token can send anything, and send it again. */
import { ID } from './alarm-values.js';
import { bearerCheck } from './authentication.js';
import { readGenericAlarms } from './generic-alarm.js';
import type { BearerSettings, Sender } from './sender.js';

/** @throws Error without tokens */
export function bearerSender(name: string, { tokens }: BearerSettings): Sender {
  const admits = bearerCheck(name, tokens);
  return {
    name,
    admits,
    async read({ headers, body, receivedAtMs }) {
      const refusal = admits(headers);
      if (refusal !== null) return refusal;
      const { 'webhook-id': id = '' } = headers;
      return readGenericAlarms(body, { sender: name, receivedAtMs, deliveryId: ID.test(id) ? id : null });
    },
    readUnchecked: (body, receivedAtMs) =>
      readGenericAlarms(body, { sender: name, receivedAtMs, deliveryId: 'unchecked' }),
  };
}
