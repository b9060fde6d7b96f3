/** Senders that can only show a token: whoever holds it can send anything, and send it again. */
import type { BearerSettings, Delivery, Refusal, Sender } from '../sender.js';
import { ID } from './alarm-values.js';
import { refused } from './body.js';
import { readGenericAlarms } from './generic-alarm.js';
import { demandSecrets, isOneOf } from './same-secret.js';

/** RFC 6750; the word in any case. */
const BEARER = /^Bearer +(\S+)$/i;
export function bearerSender(name: string, { tokens }: BearerSettings): Sender {
  const admits = admitBearers(name, tokens);
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

/** @throws Error without tokens */
export function admitBearers(
  name: string,
  tokens: readonly string[],
): (headers: Delivery['headers']) => Refusal | null {
  demandSecrets(name, 'token', tokens);
  return ({ authorization = '' }) => {
    const [, token = ''] = BEARER.exec(authorization) ?? [];
    return isOneOf(token, tokens) ? null : refused(401, 'unauthorized', 'no token, or a wrong one');
  };
}
