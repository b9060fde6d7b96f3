// How often a process that freezes sends a POST after it has woken, although its send lease is long over. `npm run build` first.
// node bench/freeze-post.mjs [freezes]
// The process does nothing but POST, so it is between lease and first byte far more often than a worker ever is.
// Compare two builds with it: what counts is the number of late POSTs for the same number of freezes. Nothing makes it 0.
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { createHttpClient } from '../dist/servicestage/http.js';

const FROZEN_MS = 200;
const LATE_MS = 100;
const LEASE_TAKES_MS = 1;

if (process.send === undefined) await freezeAgainAndAgain(Number(process.argv[2] ?? 150));
else await postAgainAndAgain(process.argv[2]);

async function freezeAgainAndAgain(freezes) {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => response.end(JSON.stringify({ arrivedAtMs: Date.now() })));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${server.address().port}`;
  const sender = spawn(process.execPath, [fileURLToPath(import.meta.url), endpoint], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const counted = new Promise((resolve) => sender.once('message', resolve));
  await delay(1_500);
  for (let freeze = 0; freeze < freezes; freeze++) {
    sender.kill('SIGSTOP');
    await delay(FROZEN_MS);
    sender.kill('SIGCONT');
    await delay(5 + Math.random() * 20);
  }
  sender.send('end');
  const { posts, late } = await counted;
  console.log(`${freezes} freezes, ${posts} POSTs, ${late} of them sent late`);
  server.close();
  server.closeAllConnections();
}

async function postAgainAndAgain(endpoint) {
  const client = createHttpClient();
  const ending = new AbortController();
  process.once('message', () => ending.abort());
  let posts = 0;
  let late = 0;
  while (!ending.signal.aborted) {
    let leasedAtMs = 0;
    const { json } = await client.send({
      ...{ endpoint, method: 'POST', path: '/', query: [], body: '{"action":"restart"}', timeoutMs: 5_000 },
      headersFor: () => ({}),
      beforeFirstByte: async () => {
        await delay(LEASE_TAKES_MS);
        leasedAtMs = Date.now();
      },
    });
    posts++;
    if (json.arrivedAtMs - leasedAtMs > LATE_MS) late++;
  }
  process.send({ posts, late }, () => process.disconnect());
}
