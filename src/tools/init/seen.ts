/** First rows of a table, by the names of its columns, or by index without names. */
export type TableRows = readonly Readonly<Record<string, unknown>>[];
