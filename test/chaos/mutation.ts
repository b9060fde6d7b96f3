/** What a mutation is: one rule of the product taken out as somebody might by mistake, and what has to find it. */
import type { Violation } from './evidence.js';
import type { PlotName as ModelPlotName } from '../model/draw-plots.js';
import type { BlowKind, Site } from '../model/scenario.js';
import type { PlotName } from './plots.js';

interface Edit {
  /** From the root of the project. */
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly from: string;
  readonly to: string;
}

/** The result compiles. */
export interface Mutation {
  readonly name: string;
  /** The promise that should be seen broken. */
  readonly breaks: Violation['promise'];
  /** Which rule is taken out, and which story of the protocol comes back. */
  readonly why: string;
  /** Of the product. */
  readonly edits: readonly Edit[];
  /** Left to the model where it is absent: what breaks it is too rare a coincidence for storms. */
  readonly storms?: Storms;
  readonly model: InModel;
}

export interface Storms {
  /** Found only by storms of these plots: drawn from all, they are too rare. */
  readonly aim?: readonly PlotName[];
  /** Storms must find it within that many seeds. */
  readonly seeds: number;
}

export type InModel =
  /** `edits`: the same rule where the model has it itself, since it does not run the product's workflows, HTTP client and access to Temporal. */
  | { readonly kind: 'found'; readonly edits?: readonly Edit[]; readonly aim?: Aim }
  /** Nothing breaks: `why` says what else holds. A rule of this kind is not needed for the promises. */
  | { readonly kind: 'harmless'; readonly why: string; readonly edits?: readonly Edit[]; readonly aim?: Aim };

/** Interleavings that have all of it are played, the others passed over: what breaks the mutation is a rare coincidence. */
export interface Aim {
  readonly sites?: readonly Site[];
  readonly blows?: readonly BlowKind[];
  readonly runs?: number;
  /** One of these. */
  readonly plots?: readonly ModelPlotName[];
  /** Cloud jobs show later than ServiceStage is assumed to show them. Of the promises only `once` is given then. */
  readonly isBeyondTheWindow?: true;
}

/** Played by the model with the product's edits alone. */
export const FOUND: InModel = { kind: 'found' };

/** Played by the model with the product's edits alone, where such things come together. */
export function foundWith(aim: Aim): InModel {
  return { kind: 'found', aim };
}

/** Of storms drawn from all plots: each was found by one of the first five. */
export const SEEDS = 5;
