import { percent } from '../../base/numbers.ts';
import { milliseconds, number, size } from '../format.ts';
import { commonLatency, settingOf } from '../summary.ts';
import type { ModelRow } from '../types.ts';

/** Head of the table of streams. */
export const STREAMS_HEAD = [
  'file',
  'measured as',
  'size',
  'frames at a time',
  'numbers kept',
  'agreement',
  'latency of a hop',
  'of a window',
] as const;

/** A row for each stream, beside the file that takes windows. */
export function streamRows(models: readonly ModelRow[]): string[][] {
  return models.flatMap((model) => {
    if (model.stream === undefined) return [];
    const { file, sizeBytes, hop, window, kept, agreement, sqnrDb, latency } = model.stream;
    const both = commonLatency({ ...model, latency }, model);
    const times = both?.map(({ p50Ms }) => milliseconds(p50Ms)) ?? ['–', '–'];
    const noise = sqnrDb === undefined ? [] : [`${sqnrDb.toFixed(1)} dB`];
    const alike = [...(agreement === undefined ? [] : [percent(agreement)]), ...noise].join(', ') || 'equal';
    const setting = both === undefined ? '–' : settingOf(both[0]);
    return [[file, setting, size(sizeBytes), `${hop} of ${window}`, number(kept), alike, ...times]];
  });
}
