/**
 * The sizes that a Temporal server limits, and what of each we use. Beyond them a server terminates a run, or a workflow task fails for ever.
 * Limits of the server: `common/dynamicconfig/constants.go` of temporalio/temporal (1.29 to 1.31); docs/decisions/0021.
 * All sizes are bytes of JSON in UTF-8, before a payload codec. Those used leave room for a codec that makes a payload a third longer.
 */

/** `frontend.searchAttributesSizeOfValueLimit` is 2 KB, of the encoded list. Codecs leave search attributes alone. */
export const SEARCH_ATTRIBUTE_BYTES = 2_000;
/** A `KeywordList` in MySQL is indexed as `CHAR(255)`: a longer item cannot be stored. */
export const SEARCH_ATTRIBUTE_ITEM_CHARACTERS = 255;
/** `limit.blobSize.error` is 2 MB: of each argument, result, failure, heartbeat, query answer and Update. A gRPC message may have 4 MB. */
export const PAYLOAD_BYTES = 1_500_000;
/** `limit.memoSize.error` is 2 MB, but MySQL keeps memos for listings in a `BLOB` of 64 KB, and a listing carries those of a whole page. */
export const MEMO_REPORT_BYTES = 62_000;
/** Of a run's result, or the details of its failure: a run that an alarm rule started leaves it in the history of the rule as well. */
export const RESULT_REPORT_BYTES = 256_000;
/** `limit.historySize.error` is 50 MB. */
export const HISTORY_BYTES = 38_000_000;
/** `limit.historyCount.error` is 51,200; some are left for signals and Updates. */
export const HISTORY_EVENTS = 45_000;
/** `limit.userMetadataDetailsSize` is 20,000 bytes. */
export const DETAILS_BYTES = 15_000;

/** All reports of targets stand in the history of their run. Chosen: half of what a history may have. */
const REPORTS_BYTES = 24_000_000;
const MOST_REPORT_BYTES = 1_000_000;

/** What a start may name; see domain/plan/start-arguments.ts and domain/runbook/runbook.ts. */
export const MOST_TARGETS = 100;

/** How long the report of each target may be in a run of so many. */
export function targetReportBytes(targets: number): number {
  return Math.min(MOST_REPORT_BYTES, Math.floor(REPORTS_BYTES / Math.max(1, targets)));
}

/** What ServiceStage says of an instance at one moment, its hosts among it: `servicestage/wire.ts` lets no more through. */
export const OBSERVATION_BYTES = 16_000;
/** Of an observation: 346 ids of 36 characters. */
export const HOSTS_BYTES = 13_500;
/** Of a step; see domain/once/trail.ts. */
export const TRAIL_BYTES = 4_000;
/** Names of events in a calendar file. */
export const LONGEST_FREEZE_NAME_BYTES = 200;
/** Why a gate is closed: it stands in the report once for each target. */
export const LONGEST_GATE_REASON_BYTES = 1_000;
/** Texts of the progress queries. */
export const LONGEST_SHOWN = { title: 200, seen: 400, failure: 600 };
