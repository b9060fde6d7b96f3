/** Which search attributes a namespace lacks. */
import type { Client } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../domain/contract.js';
import { GRPC, grpcCodeOf } from './calls.js';

/** Those of ours that the client's namespace lacks, or has with another type. @throws whatever a call throws */
export async function missingSearchAttributes(client: Client): Promise<(typeof SEARCH_ATTRIBUTES)[number][]> {
  const asked = await Promise.all(SEARCH_ATTRIBUTES.map(({ name }) => hasSearchAttribute(client, name)));
  return SEARCH_ATTRIBUTES.filter((_attribute, index) => asked[index] === false);
}

/**
 * Whether the client's namespace has this search attribute, for keywords. Asked with a query, because listing search attributes needs operator
 * rights that Temporal Cloud does not give.
 * @throws whatever a call throws
 */
export async function hasSearchAttribute(client: Client, name: string): Promise<boolean> {
  try {
    await client.workflow.count(`${name} = 'none'`);
    return true;
  } catch (error) {
    if (grpcCodeOf(error) === GRPC.invalidArgument) return false;
    throw error;
  }
}
