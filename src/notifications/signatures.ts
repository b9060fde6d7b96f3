/** How receivers know that a message is ours. */
import { createHmac } from 'node:crypto';

/**
 * One signature of Standard Webhooks for each secret, separated by spaces. Source: its specification, 2024.
 * @param secrets `whsec_` and base64 each
 * @param timestamp seconds since 1970
 */
export function standardSignature(secrets: readonly string[], id: string, timestamp: number, body: string): string {
  return secrets
    .map((secret) => {
      const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
      return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
    })
    .join(' ');
}

/** The parameter `sign` of a DingTalk robot. Source: DingTalk, "Custom robot security settings". @param timestampMs epoch milliseconds */
export function dingTalkSignature(secret: string, timestampMs: number): string {
  return createHmac('sha256', secret).update(`${timestampMs}\n${secret}`).digest('base64');
}

/** The field `sign` of a Feishu bot: time and secret are the key, and nothing is signed. Source: Feishu, "Custom bot usage guide". @param timestamp seconds since 1970 */
export function feishuSignature(secret: string, timestamp: number): string {
  return createHmac('sha256', `${timestamp}\n${secret}`).digest('base64');
}
