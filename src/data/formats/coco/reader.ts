import { taskRow } from '../../../recipe/task.ts';
import type { DatasetConfig } from '../../config.ts';
import { requireLabelFile } from '../../readers/label-file.ts';
import type { SplitReader } from '../../readers/registry.ts';

export const reader: SplitReader<Extract<DatasetConfig, { type: 'coco' }>> = {
  shares: 'decoded',
  read: async (source, options) => {
    const files = requireLabelFile(source, options);
    if (taskRow(options.task).answersPer === 'pixel')
      return (await import('./coco-masks.ts')).readCocoMasks(files, options, options);
    return (await import('./coco.ts')).readCoco(files, options, options);
  },
};
