import { scoreOfTask } from '../tasks/registry.ts';
import type { Score } from '../tasks/score.ts';
import type { Report } from './types.ts';

/** The score that the figures of a report called accuracy are. */
export function scoreOf({ dataset }: Pick<Report, 'dataset'>): Score {
  return scoreOfTask(dataset.task);
}

/** Ticks of an axis of scores. */
export function axisText(score: Pick<Score, 'better'>): (value: number) => string {
  return score.better === 'higher'
    ? (value) => `${Number((100 * value).toFixed(1))} %`
    : (value) => String(Number(value.toPrecision(3)));
}

export function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
