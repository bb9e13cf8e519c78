import { UserError } from '../../base/errors.ts';
import type { DatasetConfig } from '../config.ts';
import { countOfElements, targetsLike } from '../dataset.ts';
import type { RawSplit, TargetValues, VectorForm } from '../dataset.ts';
import { heldIn } from '../storage/sample-storage.ts';
import type { HeldSamples } from '../storage/sample-storage.ts';
import { spread } from '../readers/labelled.ts';
import type { Presence } from '../readers/labelled.ts';
import { joinedSamples } from '../storage/temporary-file.ts';
import { drawGroups } from './groups.ts';
import { drawStratified, partition, splitSize } from './split.ts';
import type { Draw } from './split.ts';
import type { TargetReader } from '../targets/reader.ts';

export type SplitName = 'train' | 'validation' | 'test';

/** A split that has been read and not yet normalized. */
export interface UnnormalizedSplit extends HeldSamples {
  /** The files, for messages. */
  readonly source: string;
  readonly name: SplitName;
  readonly idPrefix: SplitName;
  readonly rowSize: number;
  readonly targets: TargetValues;
  /** Number of targets of each sample. */
  readonly width: number;
  readonly strata: (values: TargetValues, width: number) => Int32Array;
  readonly ids: Int32Array;
  /** 1 for a sample with a label, else 0; undefined if all have one. */
  readonly flags: Uint8Array | undefined;
  /** See `RawSplit`. */
  readonly groups?: RawSplit['groups'];
}

interface Reading {
  readonly reader: TargetReader;
  readonly classNames: readonly string[];
  readonly config: DatasetConfig;
  readonly vector: VectorForm | undefined;
}

export function splitOf(
  name: SplitName,
  { raw, flags, count, known, ids: given }: Presence,
  { reader, classNames, config, vector }: Reading,
): UnnormalizedSplit {
  const width = reader.width(classNames, { ...raw, vector });
  const values = known > 0 ? reader.values(raw, classNames, config) : reader.none();
  const ids = given ?? Int32Array.from({ length: count }, (_, i) => i);
  return {
    source: raw.source,
    name,
    idPrefix: name,
    rowSize: countOfElements(raw.sampleShape),
    samples: raw.samples,
    stored: raw.stored,
    targets: flags === undefined ? values : spread(values, flags, width),
    width,
    strata: reader.strata,
    ids,
    flags,
    groups: raw.groups,
  };
}

/** Draws a stratified part of `split`, in place; of windows whole groups. The part keeps its ids. */
export function carve(
  split: UnnormalizedSplit,
  name: SplitName,
  amount: number,
  key: string,
  seed: number,
): [UnnormalizedSplit, UnnormalizedSplit] {
  // Validation and test are drawn from labelled samples; if there are none, the teacher's answers stand in.
  const from = split.flags?.includes(1) === true ? labelledRows(split.flags) : undefined;
  const size = splitSize(key, amount, from?.length ?? split.ids.length, split.source);
  if (split.groups !== undefined) return carveGroups({ ...split, groups: split.groups }, name, size, key, seed);
  const parts = draw(split, name, { size, seed, purpose: name, kept: 1, from });
  if (parts[1].ids.length === 0) {
    throw new UserError(
      `${key}: every class of ${split.source} has a single sample, none can be taken from it`,
      `Name files of their own as \`${name}\`, or add samples.`,
    );
  }
  return parts;
}

function carveGroups(
  split: UnnormalizedSplit & Required<Pick<UnnormalizedSplit, 'groups'>>,
  name: SplitName,
  size: number,
  key: string,
  seed: number,
): [UnnormalizedSplit, UnnormalizedSplit] {
  const { source, ids, flags, groups } = split;
  const strata = strataOf(split);
  const present = new Set(groups!.values);
  if (present.size < 2)
    throw new UserError(
      `${key}: all ${ids.length} windows of ${source} that are left are of one group, ${groups!.names[groups!.values[0]!]!}, and a group is in one split`,
      `Name files of their own as \`${name}\`, or the column that tells groups apart as \`window.group\`.`,
    );
  const [kept, drawn] = parted(split, name, drawGroups(strata, groups!.values, { size, seed, purpose: name }));
  // Samples without a label are neither trained on beside others of their group nor scored.
  const isPartial = flags?.includes(1) === true && drawn.flags!.includes(0);
  return [kept, isPartial ? parted(drawn, name, labelledRows(drawn.flags!))[1] : drawn];
}

export function limited(split: UnnormalizedSplit, limit: number, seed: number): UnnormalizedSplit {
  if (split.ids.length <= limit) return split;
  return draw(split, split.name, { size: limit, seed, purpose: `limit ${split.name}`, kept: 0 })[1];
}

/** `from`: rows to draw from. Default: all. */
interface DrawFrom extends Draw {
  readonly from?: Int32Array | undefined;
}

/** The rest of `split`, and the drawn part. */
function draw(split: UnnormalizedSplit, name: SplitName, given: DrawFrom): [UnnormalizedSplit, UnnormalizedSplit] {
  return parted(split, name, drawnRows(split, given));
}

/** The rest of `split`, and the part of these rows, which are in ascending order. */
function parted(split: UnnormalizedSplit, name: SplitName, rows: Int32Array): [UnnormalizedSplit, UnnormalizedSplit] {
  const samples = heldParts(split, rows);
  const targets = partition(split.targets, split.width, rows);
  const ids = partition(split.ids, 1, rows);
  const flags = split.flags && partition(split.flags, 1, rows);
  const { groups } = split;
  const groupParts = groups && partition(groups.values, 1, rows);
  const groupsOf = (values?: Int32Array) => (groups && values ? { groups: { ...groups, values } } : {});
  return [
    {
      ...split,
      ...samples.kept,
      targets: targets.kept,
      ids: ids.kept,
      flags: flags?.kept,
      ...groupsOf(groupParts?.kept),
    },
    {
      ...split,
      name,
      ...samples.drawn,
      targets: targets.drawn,
      ids: ids.drawn,
      flags: flags?.drawn,
      ...groupsOf(groupParts?.drawn),
    },
  ];
}

/** For samples in a file, only the list of rows is divided. */
function heldParts(
  { samples, stored, rowSize }: UnnormalizedSplit,
  drawn: Int32Array,
): { kept: HeldSamples; drawn: HeldSamples } {
  if (stored === undefined) {
    const parts = partition(samples, rowSize, drawn);
    return { kept: { samples: parts.kept }, drawn: { samples: parts.drawn } };
  }
  const parts = partition(stored.rows, 1, drawn);
  return { kept: heldIn({ ...stored, rows: parts.kept }), drawn: heldIn({ ...stored, rows: parts.drawn }) };
}

/** [count] Stratum of each sample; samples without a label are drawn like a class of their own. */
function strataOf({ strata, targets, width, ids, flags }: UnnormalizedSplit): Int32Array {
  const known = strata(targets, width).subarray(0, ids.length);
  if (flags === undefined) return known;
  const none = known.reduce((max, label) => Math.max(max, label), 0) + 1;
  return known.map((label, row) => (flags[row] === 1 ? label : none));
}

function drawnRows(split: UnnormalizedSplit, { from, ...given }: DrawFrom): Int32Array {
  const strata = strataOf(split);
  const classes = strata.reduce((max, label) => Math.max(max, label), 0) + 1;
  if (from === undefined) return drawStratified(strata, classes, given);
  const among = from.map((row) => strata[row]!);
  return drawStratified(among, classes, given).map((i) => from[i]!);
}

/** Train with labels of only `wanted` samples, drawn stratified. */
export function keepLabels(split: UnnormalizedSplit, wanted: number, seed: number): UnnormalizedSplit {
  const { ids, width } = split;
  const rows = split.flags === undefined ? Int32Array.from(ids.keys()) : labelledRows(split.flags);
  if (wanted > rows.length)
    throw new UserError(
      `labelled: ${wanted} samples of ${split.source} should keep their label, and only ${rows.length} have a label to train with`,
      'Ask for fewer, or leave it out to use all.',
    );
  const flags = new Uint8Array(ids.length);
  const draws = { size: wanted, seed, purpose: 'labelled', kept: 0, from: rows } as const;
  for (const row of drawnRows(split, draws)) flags[row] = 1;
  // Removed labels must not stay in memory.
  const targets = split.targets.map((value, i) => (flags[Math.floor(i / width)] === 1 ? value : 0));
  return { ...split, targets, flags };
}

/** The id after the largest of a split. */
export function nextId(ids: Int32Array): number {
  return ids.reduce((max, id) => Math.max(max, id), -1) + 1;
}

/** Appends samples without labels to train; their ids start at `next`, after all ids of its files. */
export function withUnlabelled(split: UnnormalizedSplit, raw: RawSplit, next: number): UnnormalizedSplit {
  const { ids, targets, width, flags } = split;
  // None of these samples has a label; `labels` only gives their number.
  const partIds = raw.ids ?? Int32Array.from({ length: raw.labels.values.length }, (_, i) => i);
  const count = ids.length + partIds.length;
  const all = targetsLike(targets, count * width);
  all.set(targets);
  const has = new Uint8Array(count);
  if (flags === undefined) has.fill(1, 0, ids.length);
  else has.set(flags);
  const behind = partIds.map((id) => next + id);
  return {
    ...split,
    ...joinedSamples(split, raw, split.rowSize),
    targets: all,
    ids: Int32Array.from([...ids, ...behind]),
    flags: has,
    // Only splits that are still to be drawn need the groups.
    groups: undefined,
  };
}

function labelledRows(flags: Uint8Array): Int32Array {
  return Int32Array.from(flags.keys()).filter((row) => flags[row] === 1);
}

/** Targets of the samples with a label. */
export function labelledTargets({ targets, flags, width }: UnnormalizedSplit): TargetValues {
  if (flags === undefined) return targets;
  return targets.filter((_, i) => flags[Math.floor(i / width)] === 1);
}
