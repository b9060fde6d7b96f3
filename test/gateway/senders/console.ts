/**
 * The console of the cloud, as far as subscriptions go: over HTTPS with a certificate that this process trusts while a
 * test runs.
 */
import { once } from 'node:events';
import { createServer, globalAgent } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { selfSignedRsa } from '../../servicestage/self-signed.js';

const CONFIRMED = '{"subscription_urn":"urn:smn:…"}';

/** A console that confirms by default and counts the requested links. */
export async function startConsole(status: () => number, text: (link: string) => string = () => CONFIRMED) {
  const tls = selfSignedRsa({ commonName: 'localhost' });
  const links: string[] = [];
  const server = createServer(tls, (request, response) => {
    links.push(request.url ?? '');
    response.writeHead(status(), { location: '/elsewhere' }).end(text(request.url ?? ''));
  }).listen(0, 'localhost');
  await once(server, 'listening');
  globalAgent.options.ca = tls.cert;
  onTestFinished(() => {
    delete globalAgent.options.ca;
    server.close();
  });
  return { host: `localhost:${(server.address() as AddressInfo).port}`, links };
}
