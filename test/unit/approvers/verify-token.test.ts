/** Tokens of signed approvals: only one of the trusted issuer, for this audience, this plan and this time counts. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UnsecuredJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { readApprovers, type Approvers } from '../../../src/approvers/approvers.js';
import { verifyApproval } from '../../../src/approvers/verify-token.js';
import { approversOf, AUDIENCE, ISSUER, newSigner, type Signer } from '../../support/signer.js';

const NOW_MS = Date.now();
const PLAN = 'a'.repeat(64);
const seconds = (ms: number) => Math.floor(ms / 1_000);
const ann = { email: 'ann@example.test', realm_access: { roles: ['sre-lead', 'staff'] } };

let signer: Signer;
let trusted: Approvers;
beforeAll(async () => {
  signer = await newSigner();
  trusted = approversOf(signer.settings);
});

function verify(token: string, approvers: Approvers | null = trusted, change: object = {}) {
  const asked = { token, issuer: ISSUER, planHash: PLAN, receivedAtMs: NOW_MS, ...change };
  return verifyApproval(approvers, asked, NOW_MS);
}

describe('a token', () => {
  it('of the issuer proves actor and roles', async () => {
    expect(await verify(await signer.sign(ann))).toEqual({
      kind: 'proved',
      actor: 'ann@example.test',
      roles: ['sre-lead', 'staff'],
    });
  });

  it.each<[string, object, RegExp]>([
    ['of another issuer', { iss: 'https://other.example.test/' }, /"iss"/],
    ['for another audience', { aud: 'payroll' }, /"aud"/],
    ['that is expired', { exp: seconds(NOW_MS) - 60 }, /"exp"/],
    ['that never expires', { exp: undefined }, /"exp"/],
    ['that is not valid yet', { nbf: seconds(NOW_MS) + 600 }, /"nbf"/],
    ['without a name', { email: undefined }, /has no name in "email"/],
    ['of somebody whose name has a line break', { email: 'ann\nroot' }, /has no name/],
    ['of somebody whose name is a number', { email: 7 }, /has no name/],
  ])('%s does not count', async (_case, claims, why) => {
    const proof = await verify(await signer.sign({ ...ann, ...claims }));
    expect(proof).toMatchObject({ kind: 'refused', why: expect.stringMatching(why) });
  });

  it('with the key of somebody else does not count', async () => {
    const other = await newSigner();
    expect(await verify(await other.sign(ann))).toMatchObject({
      kind: 'refused',
      why: expect.stringMatching(/signature/),
    });
  });

  it('with a key id that is not trusted does not count', async () => {
    expect(await verify(await signer.sign(ann, { kid: 'k2' }))).toMatchObject({ kind: 'refused' });
  });

  it('that is not signed does not count', async () => {
    const unsigned = new UnsecuredJWT({ iss: ISSUER, aud: AUDIENCE, exp: seconds(NOW_MS) + 300, ...ann }).encode();
    expect(await verify(unsigned)).toMatchObject({ kind: 'refused' });
  });

  it('that was changed does not count', async () => {
    const [head, , signature] = (await signer.sign(ann)).split('.');
    const body = Buffer.from(JSON.stringify({ ...ann, email: 'bob' })).toString('base64url');
    expect(await verify(`${head}.${body}.${signature}`)).toMatchObject({ kind: 'refused' });
  });

  it.each(['', 'x', 'a.b.c', 'eyJhbGciOiJub25lIn0..'])('of any other text (%j) does not count', async (text) => {
    expect(await verify(text)).toMatchObject({ kind: 'refused' });
  });

  it('with an algorithm that is not allowed does not count', async () => {
    const token = await signer.sign(ann);
    expect(await verify(token, { ...trusted, algorithms: ['RS256'] })).toMatchObject({ kind: 'refused' });
  });

  it('for another plan does not count where tokens name their plan', async () => {
    const bound = { ...trusted, planClaim: 'plan' };
    expect(await verify(await signer.sign({ ...ann, plan: PLAN }), bound)).toMatchObject({ kind: 'proved' });
    expect(await verify(await signer.sign({ ...ann, plan: 'b'.repeat(64) }), bound)).toEqual({
      kind: 'refused',
      why: 'the token is for another plan',
    });
    expect(await verify(await signer.sign(ann), bound)).toMatchObject({
      kind: 'refused',
      why: expect.stringMatching(/"plan"/),
    });
  });

  it('is judged by the time when the run received it, if that is not long ago', async () => {
    const token = await signer.sign({ ...ann, exp: seconds(NOW_MS) - 240 });
    expect(await verify(token, trusted, { receivedAtMs: NOW_MS - 300_000 })).toMatchObject({ kind: 'proved' });
    const old = await signer.sign({ ...ann, exp: seconds(NOW_MS) - 3_600 });
    expect(await verify(old, trusted, { receivedAtMs: NOW_MS - 7_200_000 })).toMatchObject({ kind: 'refused' });
  });

  it('proves no role that it does not name, or that the map does not name', async () => {
    expect(await verify(await signer.sign({ email: 'ann' }))).toEqual({ kind: 'proved', actor: 'ann', roles: [] });
    const mapped = { ...trusted, roles: { staff: 'operator' } };
    expect(await verify(await signer.sign(ann), mapped)).toMatchObject({ roles: ['operator'] });
    const words = { ...trusted, rolesClaim: 'scope' };
    expect(await verify(await signer.sign({ ...ann, scope: 'one two' }), words)).toMatchObject({
      roles: ['one', 'two'],
    });
    const inherited = { ...trusted, rolesClaim: 'constructor.name' };
    expect(await verify(await signer.sign(ann), inherited)).toMatchObject({ roles: [] });
  });

  it('counts for nothing on a worker that trusts no issuer, or another issuer', async () => {
    const token = await signer.sign(ann);
    expect(await verify(token, null)).toMatchObject({ kind: 'refused', why: expect.stringMatching(/does not trust/) });
    expect(await verify(token, { ...trusted, issuer: 'other' })).toMatchObject({ kind: 'refused' });
  });

  it('is verified with the keys that the file has by then', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'keys-'));
    try {
      const file = join(folder, 'jwks.json');
      const next = await newSigner();
      const keyed = approversOf({ ...signer.settings, jwks: file });
      await writeFile(file, JSON.stringify(signer.settings['jwks']));
      expect(await verify(await signer.sign(ann), keyed)).toMatchObject({ kind: 'proved' });
      await writeFile(file, JSON.stringify(next.settings['jwks']));
      expect(await verify(await signer.sign(ann), keyed)).toMatchObject({ kind: 'refused' });
      expect(await verify(await next.sign(ann), keyed)).toMatchObject({ kind: 'proved' });
      await writeFile(file, '[]');
      expect(await verify(await next.sign(ann), keyed)).toMatchObject({
        kind: 'refused',
        why: expect.stringMatching(/cannot be used/),
      });
      await rm(file);
      await expect(verify(await next.sign(ann), keyed)).rejects.toThrow(/does not exist/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('the settings', () => {
  const keys = { keys: [{ kty: 'EC' }] };
  const right = { issuer: 'i', audience: 'a', jwks: keys };

  it.each<[string, string, RegExp]>([
    ['text', 'https://login.example.test', /not JSON/],
    ['no audience', JSON.stringify({ issuer: 'i', jwks: keys }), /audience/],
    ['an unknown key', JSON.stringify({ ...right, force: true }), /force/],
    ['a shared secret', JSON.stringify({ ...right, algorithms: ['HS256'] }), /algorithms/],
    ['no signature', JSON.stringify({ ...right, algorithms: ['none'] }), /algorithms/],
    ['a secret key', JSON.stringify({ ...right, jwks: { keys: [{ kty: 'oct', k: 'x' }] } }), /jwks/],
    ['a private key', JSON.stringify({ ...right, jwks: { keys: [{ kty: 'EC', d: 'x' }] } }), /jwks/],
    ['no keys', JSON.stringify({ ...right, jwks: { keys: [] } }), /jwks/],
    ['keys to fetch', JSON.stringify({ ...right, jwks: 'https://login.example.test/keys' }), /not fetched/],
  ])('with %s are refused', (_case, text, why) => {
    expect(readApprovers(text, '/')).toMatch(why);
  });
});
