/** Told how far a piece of work is, e.g. `('calibrating', 3, 28)`. An error that it throws ends the work. */
export type OnProgress = (what: string, done: number, total: number) => void;
