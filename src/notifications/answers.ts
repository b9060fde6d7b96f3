/** What the answer of a receiver means: delivered, try again later, or refused for good. Pure. */
import type { WebhookKind } from './webhooks-file.js';

/** The answer to a POST. */
export interface WebhookAnswer {
  readonly status: number;
  /** `null`: it was too long to read. */
  readonly body: string | null;
  /** Milliseconds, from `Retry-After`. */
  readonly retryAfterMs?: number;
}

/** What it means. */
export type Verdict = 'delivered' | 'again' | 'refused';

/** Chat tools of China answer 200 for everything and say in the body how it went. Codes are those of the vendors' own documents. */
interface CodeInBody {
  /** Fields that may hold the code; 0 is success. */
  readonly fields: readonly string[];
  /** Codes that mean: busy, or too many messages in a minute. */
  readonly later: readonly number[];
}

const CODE_IN_BODY: Readonly<Record<WebhookKind, CodeInBody | null>> = {
  webhook: null,
  slack: null,
  teams: null,
  dingtalk: { fields: ['errcode'], later: [-1, 130_101, 410_100] },
  feishu: { fields: ['code', 'StatusCode'], later: [11_232] },
  wecom: { fields: ['errcode'], later: [-1, 45_009] },
};

/** Statuses below 500 after which another attempt may succeed: timeout, too early, too many requests. */
const LATER = [408, 425, 429];

/** The verdict on an answer. */
export function verdictOn(kind: WebhookKind, { status, body }: WebhookAnswer): Verdict {
  if (status >= 500 || LATER.includes(status)) return 'again';
  if (status < 200 || status > 299) return 'refused';
  const codes = CODE_IN_BODY[kind];
  if (codes === null) return 'delivered';
  const code = codeIn(body, codes.fields);
  if (code === 0) return 'delivered';
  return code !== null && codes.later.includes(code) ? 'again' : 'refused';
}

/** `null` if the body has none: then another server answered than the chat tool. */
function codeIn(body: string | null, fields: readonly string[]): number | null {
  let json: unknown;
  try {
    json = JSON.parse(body ?? '');
  } catch {
    return null;
  }
  if (typeof json !== 'object' || json === null) return null;
  const [code] = fields.flatMap((field) =>
    Object.hasOwn(json, field) ? [(json as Record<string, unknown>)[field]] : [],
  );
  return typeof code === 'number' ? code : null;
}

/** `Retry-After` in milliseconds: seconds or a date. @param nowMs epoch milliseconds */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - nowMs;
  return Number.isFinite(ms) && ms > 0 ? ms : undefined;
}
