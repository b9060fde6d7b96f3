/** Certificates of SMN: which addresses may be asked, how they are asked, and what may sign. */
import { createServer, globalAgent, type ServerOptions } from 'node:https';
import type { RequestListener } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { proxyAgents } from '../../../src/network/proxy-agents.js';
import { startConnectProxy } from '../../support/connect-proxy.js';
import { recordingFollow } from '../../support/followed.js';
import { certificateUrl, downloadCertificate, readCertificate } from '../../../src/gateway/senders/smn-certificate.js';
import { selfSigned, selfSignedRsa } from '../../servicestage/self-signed.js';
import { CERTIFICATE_URL, PROJECT } from './deliveries.js';

const HOSTS = ['smn.cn-north-4.myhuaweicloud.com', 'smn.cn-north-9.myhuaweicloud.com'];
const { cert: PEM } = selfSignedRsa();

describe('an address', () => {
  it('of the region of the topic on a host of the configuration may be asked', () => {
    expect(certificateUrl(CERTIFICATE_URL, 'cn-north-4', HOSTS)?.href).toBe(CERTIFICATE_URL);
    const partner = `https://smn.ru-moscow-1.hc.cloud.ru/SMN_ru-moscow-1_${PROJECT}.pem`;
    expect(certificateUrl(partner, 'ru-moscow-1', ['smn.ru-moscow-1.hc.cloud.ru'])?.href).toBe(partner);
  });

  const host = 'smn.cn-north-4.myhuaweicloud.com';
  const path = `/smn/SMN_cn-north-4_${PROJECT}.pem`;
  it.each([
    `http://${host}${path}`,
    `https://${host}:8443${path}`,
    `https://${host}:443${path}`,
    `https://user@${host}${path}`,
    `https://${host}${path}?x`,
    `https://${host}${path}?`,
    `https://${host}${path}#x`,
    `https://${host}.attacker.example${path}`,
    `https://attacker.example${path}`,
    `https://${host}@attacker.example${path}`,
    `https://SMN.cn-north-4.myhuaweicloud.com${path}`,
    `https://${host}/smn/../smn/SMN_cn-north-4_${PROJECT}.pem`,
    `https://${host}/smn/%2e%2e${path}`,
    `https:\\\\${host}${path}`,
    `https://${host}\t${path}`,
    ` https://${host}${path}`,
    `https://${host}/obs/SMN_cn-north-4_${PROJECT}.pem`,
    `https://${host}/smn/SMN_cn-north-4_${PROJECT.slice(1)}.pem`,
    `https://${host}/smn/SMN_cn-north-4_${PROJECT}.pem.txt`,
    `https://${host}/smn/SMN_cn-north-9_${PROJECT}.pem`,
    `https://smn.cn-north-9.myhuaweicloud.com/smn/SMN_cn-north-4_${PROJECT}.pem`,
    `https://smn.cn-north-9.myhuaweicloud.com/smn/SMN_cn-north-9_${PROJECT}.pem`,
    'smn',
    '',
  ])('may not be asked: %s', (text) => {
    expect(certificateUrl(text, 'cn-north-4', HOSTS)).toBeNull();
  });
});

describe('a certificate', () => {
  it('gives its key and its dates', () => {
    const { validFromMs, validToMs } = readCertificate(
      selfSignedRsa({ from: '260101000000Z', to: '270101000000Z' }).cert,
    );
    expect([validFromMs, validToMs]).toEqual([Date.parse('2026-01-01T00:00:00Z'), Date.parse('2027-01-01T00:00:00Z')]);
  });

  it.each([
    ['of a short RSA key', selfSignedRsa({ bits: 1_024 }).cert, /not RSA of at least 2048/],
    ['of another kind of key', selfSigned().cert, /not RSA/],
    ['that is none', '<html>', /not a PEM certificate/],
    ['that is empty', '', /not a PEM certificate/],
  ])('%s may not sign', (_, pem, why) => {
    expect(() => readCertificate(pem)).toThrow(why);
  });
});

describe('the download', () => {
  const tls = selfSignedRsa({ commonName: 'localhost' });
  afterEach(() => {
    delete globalAgent.options.ca;
  });
  const serve = async (listener: RequestListener, options: ServerOptions = tls) => {
    const server = createServer(options, listener).listen(0, 'localhost');
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return new URL(`https://localhost:${(server.address() as AddressInfo).port}/smn/x.pem`);
  };

  it('gives the text of the answer', async () => {
    globalAgent.options.ca = tls.cert;
    const url = await serve((_, response) => response.end(PEM));
    expect(await downloadCertificate(url)).toBe(PEM);
  });

  it('is followed by its host and status', async () => {
    globalAgent.options.ca = tls.cert;
    const url = await serve((_, response) => response.end(PEM));
    const { follow, followed } = recordingFollow();
    await downloadCertificate(url, { follow });
    const missing = await serve((_, response) => response.writeHead(404).end());
    await expect(downloadCertificate(missing, { follow })).rejects.toThrow('answered 404');
    expect(followed).toMatchObject([
      { method: 'GET', purpose: 'certificate', host: 'localhost', port: Number(url.port), status: 200 },
      { purpose: 'certificate', status: 404, failure: 'refused' },
    ]);
  });

  it('goes through a proxy, and still proves the server itself', async () => {
    const url = await serve((_, response) => response.end(PEM));
    const proxy = await startConnectProxy();
    const agents = proxyAgents(() => proxy.url)(url);
    await expect(downloadCertificate(url, { proxy: agents })).rejects.toThrow(/SELF_SIGNED/);
    if (agents !== null) agents.https.options.ca = tls.cert;
    expect(await downloadCertificate(url, { proxy: agents })).toBe(PEM);
    expect(proxy.asked).toEqual([url.host, url.host]);
  });

  it('names the proxy that let nothing through', async () => {
    const proxy = await startConnectProxy({ refuseWith: 407 });
    const url = new URL('https://smn.invalid/smn/x.pem');
    await expect(downloadCertificate(url, { proxy: proxyAgents(() => proxy.url)(url) })).rejects.toThrow(
      `smn.invalid: through the proxy http://${proxy.url.host}: it answered 407 to CONNECT`,
    );
  });

  it('trusts no server that it cannot prove', async () => {
    const url = await serve((_, response) => response.end(PEM));
    await expect(downloadCertificate(url)).rejects.toThrow(/SELF_SIGNED/);
  });

  it('trusts no server under another name', async () => {
    const other = selfSignedRsa({ commonName: 'smn.example' });
    globalAgent.options.ca = other.cert;
    const url = await serve((_, response) => response.end(PEM), other);
    await expect(downloadCertificate(url)).rejects.toThrow(/ALTNAME/);
  });

  it('follows no redirect', async () => {
    globalAgent.options.ca = tls.cert;
    const elsewhere: string[] = [];
    const other = await serve((request, response) => {
      elsewhere.push(request.url ?? '');
      response.end(PEM);
    });
    const url = await serve((_, response) => response.writeHead(302, { location: other.href }).end());
    await expect(downloadCertificate(url)).rejects.toThrow('localhost: answered 302');
    expect(elsewhere).toEqual([]);
  });

  it('reads no large answer', async () => {
    globalAgent.options.ca = tls.cert;
    const url = await serve((_, response) => response.end('a'.repeat(1_024 * 1_024)));
    await expect(downloadCertificate(url)).rejects.toThrow('more than 131072 bytes');
  });

  it('does not wait for an answer for ever', async () => {
    globalAgent.options.ca = tls.cert;
    const url = await serve(() => {});
    await expect(downloadCertificate(url)).rejects.toThrow('no answer (ETIMEDOUT)');
  });
});
