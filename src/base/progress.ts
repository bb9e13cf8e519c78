/** Listener to progress, such as `('calibrating', 3, 28)`. An error that it throws ends the work. */
export type OnProgress = (what: string, done: number, total: number) => void;
