/** What a model is asked about a sample: its class, or numbers. */
export const TASKS = ['classification', 'regression'] as const;
export type TaskName = (typeof TASKS)[number];
