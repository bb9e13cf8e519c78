/** What a model is asked about a sample: its class, numbers, or which of several labels it has. */
export const TASKS = ['classification', 'regression', 'multi-label'] as const;
export type TaskName = (typeof TASKS)[number];
