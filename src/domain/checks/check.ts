/** A check: one HTTP GET, the answer that is wanted, and the evidence that is kept. Pure. */
import { shortened } from '../text/json-bytes.js';
import { clipText } from '../text/text.js';

/** What a JSON value may be compared with. */
export type JsonScalar = string | number | boolean | null;

/** A check as a plan has it, with literal values. */
export interface HttpCheck {
  readonly url: string;
  readonly status: number;
  /** Name in lower case → the whole value. */
  readonly header: Readonly<Record<string, string>>;
  readonly json: readonly { readonly path: string; readonly equals: JsonScalar }[];
  /** What the body contains; `null`: anything. */
  readonly text: string | null;
  /** How long the wanted answer may take to appear, from the first request. */
  readonly withinMs: number;
  /** How long it must hold without a break. */
  readonly stableMs: number;
  /** Limit of one request, from the DNS query to the last byte of the body. */
  readonly timeoutMs: number;
}

/** What came of one request. */
export type CheckAnswer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
      /** Only the beginning of the body was read. */
      readonly isCut: boolean;
      /** The IP address that answered; `null` through a proxy. */
      readonly address: string | null;
    }
  /** Refused, no DNS, wrong certificate, no complete answer in time. */
  | { readonly kind: 'unanswered'; readonly why: string }
  /** The configuration of the worker does not allow the host or its address. Nothing was sent. */
  | { readonly kind: 'forbidden'; readonly why: string };

/** What a report keeps of a check: its last request, and how often it asked. Epoch milliseconds; bounded to `EVIDENCE_BYTES`. */
export interface CheckEvidence {
  readonly url: string;
  readonly requests: number;
  /** When the last answer had arrived. */
  readonly atMs: number;
  /** `null`: there was no answer. */
  readonly status: number | null;
  readonly address: string | null;
  /** Only those that the check asks for. */
  readonly headers: Readonly<Record<string, string>>;
  /** Its beginning. */
  readonly body: string | null;
  /** How long the wanted answer held, milliseconds. */
  readonly heldMs: number;
  /** What was not as wanted; empty if the check passed. */
  readonly unmet: readonly string[];
}

/** Limits of a planned check, which keep plan and evidence small. Chosen. Characters, entries. */
export const MOST_OF_CHECK = { url: 2_000, headers: 10, paths: 20, value: 200 } as const;
const LONGEST = { url: 500, name: 100, value: 200, body: 1_000, unmet: 300 };
const MOST_UNMET = 5;
/** The longest evidence as JSON: URL, headers, body, what is unmet, and a frame. Bytes. */
export const EVIDENCE_BYTES =
  LONGEST.url +
  MOST_OF_CHECK.headers * (LONGEST.name + LONGEST.value + 2) +
  LONGEST.body +
  MOST_UNMET * LONGEST.unmet +
  400;

/** Times of a check where a runbook does not say, in milliseconds. Chosen as for the verification of a step, but nothing has to start first. */
export const DEFAULT_CHECK_TIMES = { withinMs: 2 * 60_000, stableMs: 10_000, timeoutMs: 5_000 } as const;

/** How long a check can take: until the wanted answer appears, holds, and the last request has been answered. Milliseconds. */
export function longestCheckMs({
  withinMs,
  stableMs,
  timeoutMs,
}: Pick<HttpCheck, 'withinMs' | 'stableMs' | 'timeoutMs'>): number {
  return withinMs + stableMs + timeoutMs;
}

/** The evidence of the newest request. @param unmet as `unmetBy` gives it */
export function evidenceOf(
  check: HttpCheck,
  answer: CheckAnswer,
  unmet: readonly string[],
  counts: Pick<CheckEvidence, 'requests' | 'atMs' | 'heldMs'>,
): CheckEvidence {
  const answered = answer.kind === 'answered' ? answer : null;
  const wanted = Object.keys(check.header).flatMap((name): [string, string][] => {
    const value = answered?.headers[name];
    return value === undefined ? [] : [[shortened(name, LONGEST.name), shortened(value, LONGEST.value)]];
  });
  return {
    url: shortened(check.url, LONGEST.url),
    ...counts,
    status: answered?.status ?? null,
    address: answered?.address ?? null,
    headers: Object.fromEntries(wanted),
    body: answered === null ? null : shortened(answered.body, LONGEST.body),
    unmet: unmet.slice(0, MOST_UNMET).map((text) => shortened(text, LONGEST.unmet)),
  };
}

/** For people: `GET https://shop.example.com/health`. */
export function describeCheck({ url }: Pick<HttpCheck, 'url'>): string {
  return `GET ${url}`;
}

/** For people: `status 200, header x-version 1.4.0, json data.state "ok", text "ready"`. */
export function describeWanted({ status, header, json, text }: HttpCheck): string {
  return [
    `status ${status}`,
    ...Object.entries(header).map(([name, value]) => `header ${name} ${JSON.stringify(value)}`),
    ...json.map(({ path, equals }) => `json ${path} ${JSON.stringify(equals)}`),
    ...(text === null ? [] : [`text ${JSON.stringify(text)}`]),
  ].join(', ');
}

/** For people: `200 from 192.0.2.10, 3 requests`. */
export function describeEvidence({ status, address, requests }: CheckEvidence): string {
  const from = address === null ? '' : ` from ${address}`;
  return `${status === null ? 'no answer' : `${status}${from}`}, ${requests} request${requests === 1 ? '' : 's'}`;
}

const LONGEST_BODY_SHOWN = 300;

/** The beginning of the body of a check that failed, on one line; `null` if there is none to show. */
export function bodyShown({ body, unmet }: CheckEvidence): string | null {
  const line = body === null || unmet.length === 0 ? '' : body.replace(/\s+/g, ' ').trim();
  return line === '' ? null : clipText(line, LONGEST_BODY_SHOWN);
}
