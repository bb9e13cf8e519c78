import type { AskedModel, ServedModel } from '../model.ts';
import { describedBy } from '../v1/preparation.ts';
import type { DescribedModel } from '../v1/described.ts';
import { labelsOf } from '../v2/classification.ts';

/** A model as requests are read and answers are written by it: plain data, which other processes are given once. */
export interface ReadingModel extends AskedModel {
  readonly described: DescribedModel | undefined;
  readonly labels: readonly string[] | undefined;
}

const made = new WeakMap<ServedModel, ReadingModel>();

export function asked(model: ServedModel): ReadingModel {
  let found = made.get(model);
  if (found === undefined) {
    const { name, key, facts, options, limits, file } = model;
    found = { name, key, facts, options, limits, file, described: describedBy(model), labels: labelsOf(model) };
    made.set(model, found);
  }
  return found;
}
