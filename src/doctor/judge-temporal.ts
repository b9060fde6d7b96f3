/** Judges what Temporal answers. Pure. */
import { isPolled, POLLS_WITHIN_MS, type Poller } from '../domain/run/run-facts.js';
import { describeDuration } from '../domain/time/duration.js';
import { RIGHTS, type Answer, type TemporalFacts } from './facts.js';
import { fail, notChecked, ok, warn, type Finding } from './finding.js';

const DAY_MS = 86_400_000;
/** Chosen: `scale-up` after a weekend, a resumption the next morning and a firing that comes again all need their run. */
const RETENTION_MS = 7 * DAY_MS;
/** Chosen: with less, a run is deleted before the next working day. */
const SHORTEST_RETENTION_MS = DAY_MS;
/** Chosen: time enough to make a new certificate. */
const CERTIFICATE_ENDS_SOON_MS = 14 * DAY_MS;

/** What each right is for. */
const NEEDED_FOR: Readonly<Record<(typeof RIGHTS)[number], string>> = {
  list: 'list runs',
  start: 'start runs',
  signal: 'steer runs',
  update: 'start, approve and steer runs',
  query: 'show progress',
  cancel: 'cancel runs',
};

/** The server, and how it is reached. */
export function judgeServer({ server, address, proxy, secured }: TemporalFacts): Finding {
  const way = proxy === null ? '' : ` through the proxy ${proxy}`;
  if (server.kind === 'answer')
    return ok(`version ${server.value} at ${address}${way}, ${secured.tls ? 'with TLS' : 'without TLS'}`);
  if (server.kind === 'unasked') return notChecked(server.why);
  if (server.cause === 'denied')
    return fail(
      `${address} refuses the credentials: ${server.reason}`,
      secured.apiKey
        ? 'Check that TEMPORAL_API_KEY, or its file, has a key that is valid for this namespace'
        : 'Set TEMPORAL_API_KEY or its file, or the client certificate that the server asks for',
    );
  const tls = secured.tls
    ? 'with TLS: check the name in the certificate and its authority (TEMPORAL_TLS_*)'
    : 'without TLS: set TEMPORAL_TLS=true if the server asks for it';
  return fail(
    `${address}${way} does not answer: ${server.reason}`,
    `Check TEMPORAL_ADDRESS and the network; it was asked ${tls}`,
  );
}

/** Our own certificate, which Temporal's clients read once. */
export function judgeCertificate(
  { certificateExpiresAtMs: expiresAtMs }: TemporalFacts,
  nowMs: number,
): Finding | null {
  if (expiresAtMs === null) return null;
  const leftMs = expiresAtMs - nowMs;
  const remedy = 'Put the new certificate in its place, and restart worker and gateway: they read it once';
  if (leftMs <= 0) return fail('the client certificate has expired', remedy);
  const left = `the client certificate expires in ${days(leftMs)}`;
  return leftMs < CERTIFICATE_ENDS_SOON_MS ? warn(left, remedy) : ok(left);
}

/** The namespace. */
export function judgeNamespace({ namespace, retentionMs }: TemporalFacts): Finding {
  if (retentionMs.kind === 'answer') return ok(namespace);
  if (retentionMs.kind === 'unasked') return notChecked(retentionMs.why);
  if (retentionMs.cause === 'missing')
    return fail(
      `there is no namespace ${namespace}`,
      `Set TEMPORAL_NAMESPACE, or type: temporal operator namespace create --namespace ${namespace} --retention 30d`,
    );
  if (retentionMs.cause === 'denied')
    return fail(`${namespace} may not be read: ${retentionMs.reason}`, 'Give the credentials a role in this namespace');
  return fail(`${namespace} cannot be read: ${retentionMs.reason}`, 'Try again; Temporal is in trouble');
}

/** How long closed runs are kept. */
export function judgeRetention({ namespace, retentionMs }: TemporalFacts): Finding {
  if (retentionMs.kind !== 'answer') return notChecked('the namespace was not read');
  const { value } = retentionMs;
  const command = `temporal operator namespace update --namespace ${namespace} --retention 30d`;
  if (value === null) return notChecked('the server does not say how long it keeps closed runs');
  const found = `closed runs are kept for ${describeDuration(value)}`;
  const remedy = `Resumptions, scale-up and alarms read the reports of closed runs. Type: ${command}. On Temporal Cloud: in its console`;
  if (value < SHORTEST_RETENTION_MS) return fail(found, remedy);
  return value < RETENTION_MS ? warn(found, remedy) : ok(found);
}

/** The search attributes that runs set. */
export function judgeSearchAttributes({ namespace, missingAttributes }: TemporalFacts): Finding {
  if (missingAttributes.kind === 'unasked') return notChecked(missingAttributes.why);
  if (missingAttributes.kind === 'failed')
    return fail(`they cannot be asked for: ${missingAttributes.reason}`, 'The credentials must be able to count runs');
  const missing = missingAttributes.value;
  if (missing.length === 0) return ok('all are there');
  const flags = missing.map((each) => each.replace(/^(\w+) \((\w+)\)$/, '--name $1 --type $2')).join(' ');
  return fail(
    `the namespace lacks ${missing.join(', ')}; no worker starts without them`,
    `Type: temporal operator search-attribute create --namespace ${namespace} ${flags}. On Temporal Cloud: in its console`,
  );
}

/** What the credentials may do. */
export function judgeRights({ rights }: TemporalFacts): Finding {
  const all = RIGHTS.map((right) => ({ right, answer: rights[right] }));
  const reasons = all.flatMap(({ answer }) => (answer.kind === 'unasked' ? [answer.why] : []));
  if (reasons.length === all.length) return notChecked(reasons[0] ?? '');
  const denied = all.filter(({ answer }) => answer.kind === 'failed' && answer.cause === 'denied');
  if (denied.length > 0)
    return fail(
      `the credentials may not ${[...new Set(denied.map(({ right }) => NEEDED_FOR[right]))].join(', ')}`,
      'Give them a role that may write in the namespace; on Temporal Cloud: Write',
    );
  const unknown = all.filter(({ answer }) => answer.kind !== 'answer');
  if (unknown.length > 0)
    return warn(
      `not every right could be tried: ${unknown.map(({ right, answer }) => `${right} (${reasonOf(answer)})`).join(', ')}`,
      'Try again; Temporal is slow or in trouble',
    );
  return ok(`the credentials may ${RIGHTS.join(', ')}`);
}

/** Whether a worker asks for work. */
export function judgeWorkers({ taskQueue, pollers }: TemporalFacts, nowMs: number): Finding {
  if (pollers.kind === 'unasked') return notChecked(pollers.why);
  if (pollers.kind === 'failed')
    return pollers.cause === 'denied'
      ? notChecked('the credentials may not see who polls', 'Read the log of the workers: "worker ready"')
      : warn(`not known: ${pollers.reason}`, 'Try again; Temporal is slow or in trouble');
  const [latest] = pollers.value;
  const recent = pollers.value.filter((poller) => isPolled([poller], nowMs));
  if (latest !== undefined && recent.length > 0)
    return ok(
      `${count(recent.length, 'worker')} on task queue ${taskQueue} asked for work within ${describeDuration(POLLS_WITHIN_MS)}, the latest ${agoOf(latest, nowMs)}; one that has just stopped still counts`,
    );
  return fail(
    `no worker asks for work on task queue ${taskQueue}; runs would wait${latest === undefined ? '' : `. The last one asked ${agoOf(latest, nowMs)}`}`,
    'Start a worker, or give it and yourself the same RUNBOOK_TASK_QUEUE and namespace',
  );
}

/** By the server's clock, which may be ahead of ours. */
function agoOf({ lastAccessAtMs }: Poller, nowMs: number): string {
  const seconds = Math.max(1, Math.round((nowMs - lastAccessAtMs) / 1_000));
  return `${describeDuration(seconds * 1_000)} ago`;
}

function reasonOf(answer: Answer<unknown>): string {
  if (answer.kind === 'failed') return answer.reason;
  return answer.kind === 'unasked' ? answer.why : '';
}

function days(ms: number): string {
  return count(Math.floor(ms / DAY_MS), 'day');
}

/** `1 worker`, `2 workers` */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
