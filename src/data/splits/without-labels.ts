import { UserError } from '../../base/errors.ts';
import type { DatasetConfig } from '../config.ts';
import type { RawSplit } from '../dataset.ts';
import type { Presence } from '../readers/labelled.ts';
import { checkedNames } from './label-names.ts';
import type { TargetReader } from '../targets/reader.ts';

/** A split that models are scored on: `UserError` unless all of its samples have a label, or labels are not read at all. */
export function scored(presence: Presence, labelled: number | undefined): Presence {
  const { flags, known, noneAt, raw, count } = presence;
  if (flags === undefined || labelled === 0) return presence;
  const hint =
    'Models are scored by the labels of validation and test. Give it a label, or move it to the files under `unlabelled`.';
  if (known > 0) throw new UserError(`${noneAt!}: the label is empty, in a split that models are scored on`, hint);
  throw new UserError(
    `${raw.source}: none of its ${count} samples has a label, in a split that models are scored on`,
    'Name files with labels, or set `labelled: 0`: then no labels are read and models are scored against the teacher.',
  );
}

export function noneLabelled({ source }: RawSplit, count: number): UserError {
  return new UserError(
    `${source}: none of its ${count} samples has a label`,
    'Check which column or file holds the labels. Name these files as `unlabelled` beside labelled ones, or labelled files as `validation`, or set `labelled: 0` to learn from the teacher alone and to be scored against it.',
  );
}

/** Names of the model's outputs: taken from the labels of the first split that has some, else from the recipe. */
export function namesFrom(
  reader: TargetReader,
  presences: readonly (Presence | undefined)[],
  config: DatasetConfig,
): readonly string[] {
  const first = presences.find((presence) => presence !== undefined && presence.known > 0);
  if (first !== undefined) return reader.names(first.raw, config);
  const { raw } = presences[0]!;
  const { label } = config as { label?: unknown };
  const names = reader.unlabelledNames(config, Array.isArray(label) ? label.map(String) : undefined, raw);
  if (names !== undefined) return checkedNames(names);
  throw new UserError(
    `dataset.classes: expected the names of ${reader.named}, as ${raw.source} has no labels, received none`,
    "List them in the order of the teacher's outputs.",
  );
}
