import { UserError, shown } from '../../../base/errors.ts';
import { countOfElements } from '../../../data/dataset.ts';
import type { Dataset } from '../../../data/dataset.ts';
import type { LoadedDataset } from '../../../data/load.ts';
import { sampleWriter } from '../../../data/batches/samples.ts';
import type { ModelNetwork } from '../../../networks/network.ts';

/**
 * `UserError` for a model with token ids as input whose data are not whole numbers below its vocabulary: normalized ids would be rounded to a few
 * wrong tokens without a word, and an id beyond the vocabulary would stop the training half-way.
 */
export function refuseNoTokens(network: ModelNetwork, { train, validation, test }: LoadedDataset): void {
  const { name, vocabulary } = network;
  if (vocabulary === undefined) return;
  for (const split of [train, validation, test]) if (split !== undefined) check(name, split, vocabulary);
}

function check(model: string, split: Dataset, vocabulary: number): void {
  const write = sampleWriter(split);
  const sample = new Float32Array(countOfElements(split.sampleShape));
  for (let row = 0; row < split.count; row++) {
    write(row, sample, 0);
    const at = sample.findIndex((value) => !Number.isInteger(value) || value < 0 || value >= vocabulary);
    if (at === -1) continue;
    const where = `${split.name}: sample ${split.ids[row]!}: value ${at} is ${shown(sample[at])}`;
    const { scale, mean, std } = split.normalization;
    const changed = scale !== 1 || mean.some((value) => value !== 0) || std.some((value) => value !== 1);
    throw new UserError(
      `${where}${changed ? ' after normalization' : ''}, but model ${model} takes token ids from 0 to ${vocabulary - 1}`,
      changed
        ? 'Set `dataset.normalize: none`: token ids are names, not measurements.'
        : 'Raise the vocabulary of the model, or correct the data.',
    );
  }
}
