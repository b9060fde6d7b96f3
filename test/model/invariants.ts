/** The promises, held against what truly happened. */
import type { World } from './world.js';

export interface Broken {
  readonly promise: 'once' | 'known' | 'undone' | 'alone' | 'ends' | 'contract';
  readonly what: string;
}

export function brokenPromises({ chronicle }: World, hasEnded: boolean): readonly Broken[] {
  return [
    ...chronicle.breaches.map((what) => ({ promise: 'contract' as const, what })),
    ...(hasEnded ? [] : [{ promise: 'ends' as const, what: 'it did not come to an end' }]),
  ];
}
