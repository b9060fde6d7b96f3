/**
 * The sizes that a Temporal server limits, and what of each we use. Beyond them a server terminates a run, or a workflow task fails for ever.
 * Limits of the server: `common/dynamicconfig/constants.go` of temporalio/temporal (1.29 to 1.31); docs/decisions/0021.
 * All sizes are bytes of JSON in UTF-8, before a payload codec. Those used leave room for a codec that makes a payload a third longer.
 */

/** `frontend.searchAttributesSizeOfValueLimit` is 2 KB, of the encoded list. Codecs leave search attributes alone. */
export const SEARCH_ATTRIBUTE_BYTES = 2_000;
/** A `KeywordList` in MySQL is indexed as `CHAR(255)`: a longer item cannot be stored. */
export const SEARCH_ATTRIBUTE_ITEM_CHARACTERS = 255;
