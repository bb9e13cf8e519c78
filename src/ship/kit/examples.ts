import { viewOf } from '../../data/batches/batches.ts';
import { countOfElements } from '../../data/dataset.ts';
import type { Dataset } from '../../data/dataset.ts';
import { rowReader } from '../../data/storage/sample-storage.ts';
import { targetsOf } from '../../data/targets/registry.ts';
import { sessionOptionsOf } from '../../runtime/recipe-options.ts';
import { taskOf } from '../../tasks/registry.ts';
import { openRunner } from '../model-file.ts';
import type { ModelFile } from '../model-file.ts';
import { kitForm } from './forms.ts';
import type { ExampleMaker, ExampleSource } from './forms.ts';
import type { KitModel } from './missing.ts';
import { plainExample } from './text.ts';

const MOST = 5;

/** The first validation samples of some classes as they are before normalization, with what the first model says of them. */
export async function examples({ row, bytes }: KitModel, split: Dataset, of: ExampleSource): Promise<object[]> {
  const session = sessionOptionsOf(of.recipe);
  const task = taskOf(split);
  // Of classes one sample each, of other tasks the first ones.
  const isKnown = split.labelled === undefined;
  const found = isKnown
    ? task.classes?.map((_, label) => split.targets.indexOf(label)).filter((at) => at >= 0)
    : undefined;
  const rows = (found ?? Array.from({ length: split.count }, (_, i) => i)).slice(0, MOST);
  const exampleOf = await kitForm(split.task).example(split, of);
  const sample = rowReader(split, countOfElements(split.sampleShape));
  const file = { file: row.file!, bytes, format: row.format, precision: row.precision } as ModelFile;
  const runner = await openRunner(file, session, task.fields);
  const x = viewOf(split, Int32Array.from(rows), { seed: 0, view: 0, augment: [] });
  const logits = await runner.answers(x, [rows.length, ...split.sampleShape], split.inputs).finally(runner.dispose);
  const { width } = task;
  return rows.map((at, i) => {
    const answers = logits.slice(i * width, (i + 1) * width);
    return {
      ...exampleOf(at, Array.from(sample(at)), answers),
      [task.answers]: Array.from(answers),
    };
  });
}

/** Samples with their targets. */
export const ofValues = plain((split, row) => ({ targets: Array.from(targetsOf(split, [row])) }));

/** Samples with what is known of them, if all samples of the split have a label. */
export function plain(known: (split: Dataset, row: number) => object): ExampleMaker {
  return (split, { texts }) =>
    (row, raw) => ({
      ...(split.labelled === undefined && known(split, row)),
      ...plainExample(split, row, raw, texts),
    });
}
