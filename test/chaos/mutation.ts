/** A mutation: one rule of the product removed as a developer might by mistake, and the checks that have to find that. */
import type { Violation } from './evidence.js';
import type { PlotName as ModelPlotName } from '../model/draw-plots.js';
import type { DisruptionKind, Site } from '../model/scenario.js';
import type { PlotName } from './plots.js';

interface Edit {
  /** Relative to the root of the project. */
  readonly file: string;
  /** Appears exactly once in the file. */
  readonly from: string;
  readonly to: string;
}

/** The result compiles. */
export interface Mutation {
  readonly name: string;
  /** The promise that the mutation breaks. */
  readonly breaks: Violation['promise'];
  /** The rule that is removed, and the story of the protocol that it brings back. */
  readonly why: string;
  /** Edits of the product. */
  readonly edits: readonly Edit[];
  /** Left to the model if absent: the coincidence that reveals it is too rare for storms. */
  readonly storms?: Storms;
  readonly model: InModel;
}

/** One that the model does not play. */
export type StormMutation = Omit<Mutation, 'model'> & { readonly storms: Storms };

interface Storms {
  /** Only storms of these plots find it; storms drawn from all plots find it too rarely. */
  readonly aim?: readonly PlotName[];
  /** Storms must find it within this many seeds. */
  readonly seeds: number;
}

export type InModel =
  /** `edits`: the same rule in the model's own code, which replaces the product's workflows, HTTP client and access to Temporal. */
  | { readonly kind: 'found'; readonly edits?: readonly Edit[]; readonly aim?: Aim }
  /** Nothing breaks; `why` names what else protects the promises. The promises do not need a rule of this kind. */
  | { readonly kind: 'harmless'; readonly why: string; readonly edits?: readonly Edit[]; readonly aim?: Aim };

/** Only interleavings that have all of this are played, because a rare coincidence reveals the mutation. */
export interface Aim {
  readonly sites?: readonly Site[];
  readonly disruptions?: readonly DisruptionKind[];
  readonly runs?: number;
  /** One of these plots. */
  readonly plots?: readonly ModelPlotName[];
  /** With an operator, who steers the run and decides about blocked steps. */
  readonly isOperated?: true;
  /** With people who approve, checks, and runs that resume one another. */
  readonly isAttended?: true;
  /** Cloud jobs show later than ServiceStage is assumed to show them. Then only the promise `once` holds. */
  readonly isBeyondTheWindow?: true;
}

/** Played by the model with only the product's edits. */
export const FOUND: InModel = { kind: 'found' };

/** Played by the model with only the product's edits, in scenarios that combine such mishaps. */
export function foundWith(aim: Aim): InModel {
  return { kind: 'found', aim };
}

/** Storms drawn from all plots: one of the first five found each mutation. */
export const SEEDS = 5;
