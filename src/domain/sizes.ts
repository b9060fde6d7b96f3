/**
 * The sizes that a Temporal server limits, and how much of each we use. Beyond a limit the server terminates the run, or its workflow task
 * fails for ever. The limits are in `common/dynamicconfig/constants.go` of temporalio/temporal (1.29 to 1.31); see docs/decisions/0021.
 * Unless noted otherwise, a size is bytes of JSON in UTF-8, before a payload codec. There is room for a codec that adds a third.
 */

/** `frontend.searchAttributesSizeOfValueLimit` is 2 KB for the encoded list. Codecs leave search attributes alone. */
export const SEARCH_ATTRIBUTE_BYTES = 2_000;
/** MySQL indexes a `KeywordList` as `CHAR(255)`, so a longer item cannot be stored. Characters. */
export const SEARCH_ATTRIBUTE_ITEM_CHARACTERS = 255;
/** `limit.blobSize.error` is 2 MB for each argument, result, failure, heartbeat, query answer and Update. A gRPC message may have 4 MB. */
export const PAYLOAD_BYTES = 1_500_000;
/** `limit.memoSize.error` is 2 MB, but MySQL keeps memos for listings in a `BLOB` of 64 KB, and a listing returns those of a whole page. */
export const MEMO_REPORT_BYTES = 62_000;
/** For a run's result, or the details of its failure. A run that an alarm rule started leaves a copy in the history of the rule. Chosen. */
export const RESULT_REPORT_BYTES = 256_000;
/** `limit.historySize.error` is 50 MB. */
export const HISTORY_BYTES = 38_000_000;
/** `limit.historyCount.error` is 51,200 events; the rest is left for signals and Updates. */
export const HISTORY_EVENTS = 45_000;
/** `limit.userMetadataDetailsSize` is 20,000 bytes. */
export const DETAILS_BYTES = 15_000;

/** For the reports of all targets, which are in the history of their run. Chosen: about half of what a history may have. */
const REPORTS_BYTES = 24_000_000;
const MOST_REPORT_BYTES = 1_000_000;

/** How many targets a start may name; domain/plan/start-arguments.ts and domain/runbook/runbook.ts refuse more. */
export const MOST_TARGETS = 100;

/** How long each target's report may be in a run with so many targets. */
export function targetReportBytes(targets: number): number {
  return Math.min(MOST_REPORT_BYTES, Math.floor(REPORTS_BYTES / Math.max(1, targets)));
}

/** For one reading of an instance with its hosts: `servicestage/wire.ts` lets no more through. */
export const OBSERVATION_BYTES = 16_000;
/** For the hosts of a reading: 346 ids of 36 characters. */
export const HOSTS_BYTES = 13_500;
/** For the trail of a step; see domain/once/trail.ts. */
export const TRAIL_BYTES = 4_000;
/** For the trail of the attempts before a retry. Chosen: one POST without an answer, and its search, take about 1 KB. */
export const EARLIER_TRAIL_BYTES = 2_000;
/** For the name of an event in a calendar file. */
export const LONGEST_FREEZE_NAME_BYTES = 200;
/** For the reason why a gate is closed, which the report has once for each target. */
export const LONGEST_GATE_REASON_BYTES = 1_000;
/** For texts in the answers to progress queries. */
export const LONGEST_SHOWN = { title: 200, seen: 400, failure: 600 };
