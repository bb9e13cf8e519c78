/** Tasks: questions that a model answers about a sample, for its class, for numbers, or for several labels. */
export const TASKS = ['classification', 'regression', 'multi-label'] as const;
export type TaskName = (typeof TASKS)[number];
