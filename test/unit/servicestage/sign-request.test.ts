/** The signature, held to the four vectors that Huawei's Node and Python SDKs (3.1.211) agree on. */
import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/servicestage/secret.js';
import { encodePath, encodeQuery, signRequest, type RequestToSign } from '../../../src/servicestage/sign-request.js';

const PROJECT = '0123456789abcdef0123456789abcdef';
const INSTANCE = `/v2/${PROJECT}/cas/applications/app-0001/components/comp-0001/instances/inst-0001`;
const KEY = {
  accessKey: 'AKEXAMPLE0000000TEST',
  secretKey: new Secret('SKexampleSecretKey0000000000000000000TEST'),
};
const NOW = new Date('2026-11-23T08:00:00Z');
const PLAIN: RequestToSign = {
  method: 'GET',
  path: INSTANCE,
  query: [],
  host: 'servicestage.cn-north-4.myhuaweicloud.com',
  headers: { 'Content-Type': 'application/json', 'X-Project-Id': PROJECT },
  body: '',
};

const VECTORS: readonly { name: string; request: Partial<RequestToSign>; securityToken?: string; signature: string }[] =
  [
    {
      name: 'GET instance',
      request: {},
      signature: '17a948702641a6cd885efddbce3b183a57ece8f5c407de69a53c4abac78af6fd',
    },
    {
      name: 'POST action',
      request: { method: 'POST', path: `${INSTANCE}/action`, body: '{"action":"scale","parameters":{"replica":4}}' },
      signature: 'da43e6c4e9e6fde6478ac2c1da13761f5e3e1e4099a1b922751b5298f98d5161',
    },
    {
      name: 'GET job with query',
      request: {
        path: `/v2/${PROJECT}/cas/jobs/JOB66761060-f209-407c-a093-4df6f531b9dc`,
        query: [
          ['instance_id', 'inst 0001/ä*~'],
          ['limit', '100'],
          ['offset', '0'],
          ['desc', 'false'],
        ],
      },
      signature: '4bacb90cd8b0eabed6b00420e6ef259c11ea64a14e7e7c063a1c1c76d2722ea6',
    },
    {
      name: 'POST rollback with security token',
      request: {
        method: 'POST',
        path: `${INSTANCE}/action`,
        body: '{"action":"rollback","parameters":{"version":"1.0.1"}}',
      },
      securityToken: 'STSTOKENEXAMPLE',
      signature: 'b24e75899addea0bfe7a57828fac9b6ce3348def4184b0c743cc365bc4f6abc4',
    },
  ];

describe('signRequest', () => {
  it.each(VECTORS)('signs like the official SDKs: $name', ({ request, securityToken, signature }) => {
    const key = securityToken === undefined ? KEY : { ...KEY, securityToken: new Secret(securityToken) };
    const headers = signRequest({ ...PLAIN, ...request }, key, NOW);
    const names = `content-type;host;x-project-id;x-sdk-date${securityToken === undefined ? '' : ';x-security-token'}`;
    expect(headers['Authorization']).toBe(
      `SDK-HMAC-SHA256 Access=AKEXAMPLE0000000TEST, SignedHeaders=${names}, Signature=${signature}`,
    );
    expect(headers['X-Sdk-Date']).toBe('20261123T080000Z');
  });

  it('changes the signature with any byte of the body', () => {
    const signed = (body: string) => signRequest({ ...PLAIN, method: 'POST', body }, KEY, NOW)['Authorization'];
    expect(signed('{"action":"stop"}')).not.toBe(signed('{"action": "stop"}'));
  });

  it('trims header values before it signs them', () => {
    const signed = (value: string) => signRequest({ ...PLAIN, headers: { 'X-A': value } }, KEY, NOW)['Authorization'];
    expect(signed('  a ')).toBe(signed('a'));
  });
});

describe('encodeQuery', () => {
  it.each([
    ['an empty value keeps its equals sign', [['a', '']], 'a='],
    [
      'repeated names are sorted by value',
      [
        ['b', '2'],
        ['b', '1'],
        ['a', '3'],
      ],
      'a=3&b=1&b=2',
    ],
    ['a space is %20 and the five extra characters are encoded', [['q', " !'()*~"]], 'q=%20%21%27%28%29%2A~'],
    ['no query is an empty text', [], ''],
  ] as const)('%s', (_name, query, expected) => {
    expect(encodeQuery(query)).toBe(expected);
  });
});

describe('encodePath', () => {
  it('keeps slashes and encodes everything else once', () => {
    expect(encodePath('/v2/a b/ä*')).toBe('/v2/a%20b/%C3%A4%2A');
  });
});
