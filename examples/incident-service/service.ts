/** The HTTP side: an incident's key names its run, so that a repeated request never starts a second one. */
import { Hono, type Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { streamSSE } from 'hono/streaming';
import {
  AccessDenied,
  NoReport,
  NotARun,
  NoWorkerAnswers,
  RunIdTaken,
  RunNotFound,
  RunPaused,
  ServerUnreachable,
  type RunbookClient,
} from 'servicestage-runbooks';
import { readKey, readRecovery, WrongRequest } from './requests.js';

/** What a caller can do about each error. */
const STATUS_OF_ERROR: readonly [abstract new (...words: never[]) => Error, ContentfulStatusCode][] = [
  [WrongRequest, 400],
  [RunNotFound, 404],
  [NotARun, 404],
  [RunIdTaken, 409],
  [RunPaused, 409],
  [NoReport, 410],
  [NoWorkerAnswers, 503],
  [ServerUnreachable, 503],
  [AccessDenied, 503],
];
const KEEP_ALIVE_MS = 15_000;

/** @param stopping aborted when the service shuts down: streams of events end then */
export function createService(runbooks: RunbookClient, stopping: AbortSignal): Hono {
  const service = new Hono();
  const runOf = (context: Context) => `incident-${readKey(context.req.param('key'))}`;

  service.use(bodyLimit({ maxSize: 64 * 1024 }));
  service.onError((error, context) => {
    const status = STATUS_OF_ERROR.find(([kind]) => error instanceof kind)?.[1] ?? 500;
    if (status === 500) console.error(error);
    if (status === 503) context.header('Retry-After', '5');
    const shown = status === 500 ? { name: 'InternalError', message: 'See the log of the service' } : error;
    const problems = error instanceof WrongRequest ? { problems: error.problems } : {};
    return context.json({ error: { name: shown.name, message: shown.message, ...problems } }, status);
  });

  service.get('/health', async (context) =>
    context.json({ temporal: 'reachable', worker: await runbooks.hasWorker() }),
  );

  service.post('/incidents/:key/recover', async (context) => {
    const id = runOf(context);
    const { target, version, reason } = await readRecovery(context.req.raw);
    const { started, workflowId } = await runbooks.start('recover', {
      id,
      targets: [target],
      inputs: { version },
      requestedBy: 'incident-service',
      reason,
    });
    context.header('Location', `/incidents/${context.req.param('key')}`);
    return context.json({ started, run: workflowId }, started === 'started' ? 202 : 200);
  });

  service.get('/incidents/:key', async (context) => {
    const id = runOf(context);
    const report = await runbooks.report(id);
    if (report === null) return context.json({ state: 'underWay', ...(await runbooks.progress(id)) });
    return context.json({ state: 'ended', outcome: report.outcome, summary: report.summary, report });
  });

  service.get('/incidents/:key/events', async (context) => {
    const id = runOf(context);
    await runbooks.report(id); // An unknown key is answered by a status, not by a stream that breaks off.
    return events(context, runbooks, id, stopping);
  });

  service.post('/incidents/:key/cancel', async (context) =>
    context.json({ cancel: await runbooks.cancel(runOf(context)) }, 202),
  );
  return service;
}

/**
 * Server-sent events: `progress` whenever something changed, then `end` with the outcome, or `interrupted` with the
 * error.
 */
function events(context: Context, runbooks: RunbookClient, id: string, stopping: AbortSignal): Response {
  return streamSSE(context, async (stream) => {
    const left = new AbortController();
    stream.onAbort(() => left.abort());
    const keepAlive = setInterval(() => void stream.write(': still here\n\n'), KEEP_ALIVE_MS);
    const send = (event: string, data: unknown) => stream.writeSSE({ event, data: JSON.stringify(data) });
    try {
      for await (const snapshot of runbooks.watch(id, { signal: AbortSignal.any([left.signal, stopping]) })) {
        await send('progress', snapshot);
        if (snapshot.run.phase === 'finished') await send('end', { outcome: snapshot.run.outcome });
      }
    } catch (error) {
      await send('interrupted', {
        error: error instanceof Error ? { name: error.name, message: error.message } : String(error),
      });
    } finally {
      clearInterval(keepAlive);
    }
  });
}
