/** What docs/notifications.md shows is right: the file is read, the body is what is sent, and the example accepts what is signed. */
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_EVENTS, RUN_EVENTS } from '../../src/domain/notifications/events.js';
import { createNotification } from '../../src/domain/notifications/notification.js';
import { requestFor } from '../../src/notifications/messages.js';
import { readWebhooks } from '../../src/notifications/read-webhooks.js';
import { WEBHOOK_KINDS } from '../../src/notifications/webhooks-file.js';
import { codeBlocksOf } from '../support/code-blocks.js';
import { FACTS, webhook } from './webhooks.js';

let text: string;
let folder: string;
beforeAll(async () => {
  text = await readFile(new URL('../../docs/notifications.md', import.meta.url), 'utf8');
  folder = await mkdtemp(join(tmpdir(), 'notifications-'));
});

const SECRET = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
const NOW_MS = Date.UTC(2026, 10, 30, 3, 16);

function documented() {
  const command = `runbook report ${FACTS.runId}`;
  const notification = createNotification({ ...FACTS, needs: [{ what: 'read what was seen', command }] });
  return requestFor(webhook('webhook', 'https://changes.example.com/', { secrets: [SECRET] }), notification, NOW_MS);
}

describe('docs/notifications.md', () => {
  it('shows a valid notifications file', async () => {
    const [file = ''] = codeBlocksOf(text, 'yaml');
    await writeFile(join(folder, 'n.yaml'), file);
    const read = await readWebhooks(join(folder, 'n.yaml'), null);
    expect(read).toMatchObject({ webhooks: [{ name: 'ops-chat' }, { name: 'on-call' }, { name: 'change-log' }] });
  });

  it('shows the body as it is sent', () => {
    const [body = ''] = codeBlocksOf(text, 'json');
    expect(JSON.parse(body)).toEqual(JSON.parse(documented().body));
  });

  it('shows how a receiver checks a message', async () => {
    const [program = ''] = codeBlocksOf(text, 'js');
    const file = join(folder, 'verify.mjs');
    await writeFile(file, program);
    const { isOurs } = (await import(/* @vite-ignore */ file)) as {
      isOurs: (headers: object, body: string, secret: string, nowMs: number) => boolean;
    };
    const { headers, body } = documented();
    expect(isOurs(headers, body, SECRET, NOW_MS)).toBe(true);
    expect(isOurs(headers, `${body} `, SECRET, NOW_MS)).toBe(false);
    expect(isOurs(headers, body, `whsec_${'A'.repeat(32)}`, NOW_MS)).toBe(false);
    expect(isOurs(headers, body, SECRET, NOW_MS + 301_000)).toBe(false);
    expect(isOurs({}, body, SECRET, NOW_MS)).toBe(false);
  });

  it('lists every event with its default, and every kind', () => {
    const rows = [...text.matchAll(/^\| `(\w+)` +\|.*\| (yes|no) +\|$/gm)].map(([, event, byDefault]) => [
      event,
      byDefault,
    ]);
    expect(Object.fromEntries(rows)).toEqual(
      Object.fromEntries(RUN_EVENTS.map((event) => [event, DEFAULT_EVENTS.includes(event) ? 'yes' : 'no'])),
    );
    for (const kind of WEBHOOK_KINDS) expect(text).toMatch(new RegExp(`^\\| \`${kind}\` `, 'm'));
  });
});
