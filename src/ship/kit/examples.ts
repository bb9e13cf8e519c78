import { viewOf } from '../../data/batches/batches.ts';
import { countOfElements } from '../../data/dataset.ts';
import type { Dataset } from '../../data/dataset.ts';
import { rowReader } from '../../data/storage/sample-storage.ts';
import { targetsOf } from '../../data/targets/registry.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { taskRow } from '../../recipe/task.ts';
import { sessionOptionsOf } from '../../runtime/recipe-options.ts';
import { taskOf } from '../../tasks/registry.ts';
import { openRunner } from '../model-file.ts';
import type { ModelFile } from '../model-file.ts';
import type { KitModel } from './missing.ts';
import { taggedExamples } from './tags.ts';
import type { ExampleOf } from './tags.ts';
import { plainExample } from './text.ts';

/** Sources of samples: the recipe, the folder of its run, and the texts of each row by its id. */
interface Source {
  readonly recipe: Pick<Recipe, 'device' | 'threads' | 'engine'>;
  readonly run: string;
  readonly texts: ReadonlyMap<string, readonly string[]>;
}

const EXAMPLES = 5;

/** The first validation samples of some classes as they are before normalization, with what the first model says of them. */
export async function examples({ row, bytes }: KitModel, split: Dataset, of: Source): Promise<object[]> {
  const session = sessionOptionsOf(of.recipe);
  const task = taskOf(split);
  // Of classes one sample each, of other tasks the first ones.
  const isKnown = split.labelled === undefined;
  const found = isKnown
    ? task.classes?.map((_, label) => split.targets.indexOf(label)).filter((at) => at >= 0)
    : undefined;
  const rows = (found ?? Array.from({ length: split.count }, (_, i) => i)).slice(0, EXAMPLES);
  const exampleOf = await exampleMaker(split, of);
  const sample = rowReader(split, countOfElements(split.sampleShape));
  const file = { file: row.file!, bytes, format: row.format, precision: row.precision } as ModelFile;
  const runner = await openRunner(file, session);
  const x = viewOf(split, Int32Array.from(rows), { seed: 0, view: 0, augment: [] });
  const logits = await runner.logits(x, [rows.length, ...split.sampleShape], split.inputs).finally(runner.dispose);
  const { width, classes } = task;
  return rows.map((at, i) => {
    const answers = logits.slice(i * width, (i + 1) * width);
    return {
      ...(isKnown && classes !== undefined && { label: classes[split.targets[at]!] }),
      ...exampleOf(at, Array.from(sample(at)), answers),
      [task.answers]: Array.from(answers),
    };
  });
}

/** Function that makes the entries of a row in example.json, but for its class and for what a model answers. */
async function exampleMaker(split: Dataset, { run, texts }: Source): Promise<ExampleOf> {
  if (taskRow(split.task).isPerWord) return taggedExamples(split, run, texts);
  const hasTargets = split.labelled === undefined && taskOf(split).classes === undefined;
  return (row, raw) => ({
    ...(hasTargets && { targets: Array.from(targetsOf(split, [row])) }),
    ...plainExample(split, row, raw, texts),
  });
}
