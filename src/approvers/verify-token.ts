/** Verifies tokens of an issuer that is trusted (signature, issuer, audience, time), and reads whose they are: for signed approvals, and for callers of the codec server. */
import { createLocalJWKSet, errors, jwtVerify, type JSONWebKeySet, type JWTPayload } from 'jose';
import type { ApprovalProof, ApprovalProofAsked } from '../domain/contract.js';
import { hasControlCharacters } from '../domain/text/text.js';
import { LONGEST_ARGUMENT } from '../domain/steering/commands.js';
import { readSmallFile } from '../files/read-file.js';
import { readKeys, type Approvers } from './approvers.js';

/** How far the clocks of workers and identity providers may differ. Chosen. */
const CLOCK_TOLERANCE_SECONDS = 30;
/** A token is judged by the time when the run received it, because no worker may have run since; but by no time longer ago than this. */
const LATEST_MS = 10 * 60_000;
const LARGEST_KEYS_BYTES = 256 * 1024;
const MOST_ROLES = 100;

/**
 * @param approvers `null`: this worker trusts no issuer
 * @returns who signed, or why the token does not count
 * @throws FileError if the file of keys cannot be read
 */
export async function verifyApproval(
  approvers: Approvers | null,
  { token, issuer, planHash, receivedAtMs }: ApprovalProofAsked,
  nowMs: number,
): Promise<ApprovalProof> {
  if (approvers === null || approvers.issuer !== issuer)
    return {
      kind: 'refused',
      why: `this worker does not trust ${issuer}: give all workers the same RUNBOOK_APPROVERS`,
    };
  const { planClaim } = approvers;
  const judgedAtMs = Math.min(nowMs, Math.max(receivedAtMs, nowMs - LATEST_MS));
  const payload = await claimsOf(approvers, token, judgedAtMs, planClaim === undefined ? [] : [planClaim]);
  if (typeof payload === 'string') return { kind: 'refused', why: payload };
  if (planClaim !== undefined && payload[planClaim] !== planHash)
    return { kind: 'refused', why: 'the token is for another plan' };
  return proofOf(payload, approvers);
}

/**
 * The same for a token that is presented now, for no plan.
 * @returns whose it is, or why it does not count
 * @throws FileError if the file of keys cannot be read
 */
export async function verifyToken(issuer: Approvers, token: string, nowMs: number): Promise<ApprovalProof> {
  const payload = await claimsOf(issuer, token, nowMs, []);
  return typeof payload === 'string' ? { kind: 'refused', why: payload } : proofOf(payload, issuer);
}

/** @param required claims beside `exp`. @returns why the token does not count, as text */
async function claimsOf(
  approvers: Approvers,
  token: string,
  judgedAtMs: number,
  required: readonly string[],
): Promise<JWTPayload | string> {
  const { issuer, audience, algorithms } = approvers;
  const keys = await keysOf(approvers);
  if (typeof keys === 'string') return `the keys of ${issuer} cannot be used: ${keys}`;
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(keys), {
      issuer,
      audience,
      algorithms: [...algorithms],
      requiredClaims: ['exp', ...required],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(judgedAtMs),
    });
    return payload;
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
    return `the token does not count: ${error.message}`;
  }
}

function proofOf(payload: JWTPayload, approvers: Approvers): ApprovalProof {
  const { actorClaim } = approvers;
  const actor = claimOf(payload, actorClaim);
  if (
    typeof actor !== 'string' ||
    actor.trim() === '' ||
    actor.length > LONGEST_ARGUMENT.actor ||
    hasControlCharacters(actor)
  )
    return { kind: 'refused', why: `the token has no name in "${actorClaim}"` };
  return { kind: 'proved', actor, roles: rolesOf(payload, approvers) };
}

async function keysOf({ jwks }: Approvers): Promise<JSONWebKeySet | string> {
  return 'file' in jwks ? readKeys(await readSmallFile(jwks.file, { maxBytes: LARGEST_KEYS_BYTES })) : jwks.keys;
}

/** A claim by its name, or by its path, as in `realm_access.roles`. */
function claimOf(payload: JWTPayload, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name];
  return name.split('.').reduce<unknown>((value, key) => {
    const isObject = typeof value === 'object' && value !== null && Object.hasOwn(value, key);
    return isObject ? (value as Record<string, unknown>)[key] : undefined;
  }, payload);
}

/** Roles come as a list, or as words in one text. If a map is configured, only the names in it are roles. */
function rolesOf(payload: JWTPayload, { rolesClaim, roles }: Approvers): string[] {
  const given = claimOf(payload, rolesClaim);
  const words: unknown[] = Array.isArray(given) ? given : typeof given === 'string' ? given.split(/\s+/) : [];
  const names = words.filter((word): word is string => typeof word === 'string' && word !== '').slice(0, MOST_ROLES);
  if (roles === undefined) return names;
  return names.flatMap((name) => (Object.hasOwn(roles, name) ? [roles[name] ?? ''] : []));
}
