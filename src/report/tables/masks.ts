import { percent } from '../../base/numbers.ts';
import type { MaskReport } from '../../tasks/described.ts';
import { milliseconds, number, size } from '../format.ts';
import { commonLatency, settingOf } from '../summary.ts';
import type { ModelRow } from '../types.ts';

/** Head of the table of classes of pixels. */
export const MASK_HEAD = ['class', 'pixels', 'IoU', 'Dice'] as const;

/** A row for each class. */
export function maskRows({ rows }: MaskReport): string[][] {
  const share = (value: number | null): string => (value === null ? '–' : percent(value, 1));
  return rows.map(({ name, there, iou, dice }) => [name, number(there), share(iou), share(dice)]);
}

/** Head of the table of files that answer with classes. */
export const CLASS_FILE_HEAD = [
  'file',
  'measured as',
  'size',
  'equal pixels',
  'latency of logits',
  'of classes',
] as const;

/** A row for each file that answers with classes, beside the file with logits. */
export function classFileRows(models: readonly ModelRow[]): string[][] {
  return models.flatMap((model) => {
    if (model.classFile === undefined) return [];
    const { file, sizeBytes, equalPixels, latency } = model.classFile;
    const both = commonLatency(model, { ...model, latency });
    const times = both?.map(({ p50Ms }) => milliseconds(p50Ms)) ?? ['–', '–'];
    return [[file, both === undefined ? '–' : settingOf(both[0]), size(sizeBytes), percent(equalPixels), ...times]];
  });
}
