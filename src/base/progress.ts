/** Listener to the progress of a piece of work, e.g. `('calibrating', 3, 28)`. An error that it throws ends the work. */
export type OnProgress = (what: string, done: number, total: number) => void;
