import { percent } from '../../base/numbers.ts';
import { milliseconds, size } from '../format.ts';
import { commonLatency, settingOf } from '../summary.ts';
import type { ModelRow } from '../types.ts';

/** Head of the table of files that answer with classes or probabilities. */
export const ANSWER_FILE_HEAD = ['file', 'measured as', 'size', 'agreement', 'latency', 'of logits'] as const;

/** A row for each such file, beside the file with logits. */
export function answerFileRows(models: readonly ModelRow[]): string[][] {
  return models.flatMap((model) => {
    if (model.answerFile === undefined) return [];
    const { file, sizeBytes, agreement, latency } = model.answerFile;
    const both = commonLatency({ ...model, latency }, model);
    const times = both?.map(({ p50Ms }) => milliseconds(p50Ms)) ?? ['–', '–'];
    return [[file, both === undefined ? '–' : settingOf(both[0]), size(sizeBytes), percent(agreement), ...times]];
  });
}
