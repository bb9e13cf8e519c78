import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { shown, UserError } from '../../base/errors.ts';
import type { HubSplit } from '../../recipe/init.ts';
import { refuseExcess } from '../../recipe/yaml.ts';
import { hubFile } from './files.ts';

const NAMES: ReadonlyMap<string, HubSplit> = new Map([
  ...(['train', 'test', 'validation'] as const).map((name) => [name, name] as const),
  ...['valid', 'val', 'dev'].map((name) => [name, 'validation'] as const),
]);

const paths = z.union([z.string(), z.array(z.string())]);
const cardSchema = z.object({
  configs: z
    .array(
      z.object({
        config_name: z.string(),
        default: z.boolean().optional(),
        data_files: z.union([paths, z.array(z.object({ split: z.string(), path: paths }))]).optional(),
      }),
    )
    .optional(),
});
type Card = z.infer<typeof cardSchema>;

/** The Parquet files of the splits of a data set as the hub has it, relative to its folder. `UserError` for a missing shard, several data sets, and none. */
export function parquetSplits(folder: string): Readonly<Partial<Record<HubSplit, readonly string[]>>> {
  const all = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => name.split(path.sep).join('/'))
    .filter((name) => name.endsWith('.parquet') && hubFile(folder, name) !== undefined)
    .sort();
  const files = configOf(folder, cardOf(folder))?.data_files;
  const stated = Array.isArray(files) ? files.filter((one) => typeof one === 'object') : [];
  const splits: Partial<Record<HubSplit, string[]>> = {};
  const add = (split: string, names: readonly string[]): void => {
    const known = NAMES.get(split);
    if (known !== undefined && names.length > 0) splits[known] = [...(splits[known] ?? []), ...names];
  };
  for (const { split, path: patterns } of stated) {
    const globs = [patterns].flat().map((pattern) => globOf(pattern, folder));
    const names = all.filter((name) => globs.some((glob) => glob.test(name)));
    if (names.length === 0 && NAMES.has(split))
      throw new UserError(
        `${folder}: its README.md names ${[patterns].flat().join(', ')} for the split ${split}, and no such Parquet file is there`,
        'Get those files too, or name the files of each split: `dataset.train: [a.parquet, b.parquet]`.',
      );
    add(split, names);
  }
  if (stated.length === 0)
    for (const name of byNames(folder, all)) add(/^[a-z]+/.exec(path.posix.basename(name))?.[0] ?? '', [name]);
  for (const names of Object.values(splits)) refuseMissing(folder, names);
  if (splits.train === undefined)
    throw new UserError(
      `${folder}: expected Parquet files of a split train, received ${all.slice(0, 3).join(', ') || 'none'}`,
      'Name the files of each split: `dataset.train: [a.parquet, b.parquet]`.',
    );
  return splits;
}

/** What the README.md of a data set says at its head. */
function cardOf(folder: string): Card {
  const file = hubFile(folder, 'README.md');
  const head = file && /^---\r?\n(.*?)\r?\n---/s.exec(readFileSync(file, 'utf8'))?.[1];
  if (!head) return {};
  refuseExcess(head, file);
  try {
    return cardSchema.parse(parse(head, { maxAliasCount: 100 }));
  } catch (error) {
    const fact = error instanceof z.ZodError ? error.issues[0]!.path.join('.') : String(error).split('\n')[0]!;
    throw new UserError(
      `${folder}: the head of its README.md is not understood: ${fact}`,
      'Name the files of each split: `dataset.train: [a.parquet, b.parquet]`.',
    );
  }
}

function configOf(folder: string, { configs = [] }: Card) {
  const chosen = configs.find((one) => one.default === true) ?? configs.find((one) => one.config_name === 'default');
  if (chosen !== undefined || configs.length <= 1) return chosen ?? configs[0];
  throw new UserError(
    `${folder}: holds ${configs.length} data sets: ${configs.map((one) => one.config_name).join(', ')}`,
    'Name the folder of one of them, or the files of each split: `dataset.train: [a.parquet, b.parquet]`.',
  );
}

/** Files named for splits, which all lie in one folder. */
function byNames(folder: string, all: readonly string[]): readonly string[] {
  const named = all.filter((name) => NAMES.has(/^([a-z]+)[-.]/.exec(path.posix.basename(name))?.[1] ?? ''));
  const places = [...new Set(named.map((name) => path.posix.dirname(name)))];
  if (places.length <= 1) return named;
  throw new UserError(
    `${folder}: holds data sets in ${places.join(', ')}`,
    'Name one of these folders, or the files of each split: `dataset.train: [a.parquet, b.parquet]`.',
  );
}

/** Maximum number of wildcards of a pattern, and of those for folders: the time to find that a name does not fit grows with its length to this power. */
const MOST_WILDCARDS = { all: 4, folders: 2 };

function globOf(pattern: string, folder: string): RegExp {
  const wildcards = pattern.match(/\*+/g) ?? [];
  if (
    wildcards.length > MOST_WILDCARDS.all ||
    wildcards.filter((one) => one.length > 1).length > MOST_WILDCARDS.folders
  )
    throw new UserError(
      `${folder}: its README.md names files by ${shown(pattern)}, expected at most ${MOST_WILDCARDS.all} wildcards, ${MOST_WILDCARDS.folders} of them **`,
      'Name the files of each split: `dataset.train: [a.parquet, b.parquet]`.',
    );
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  const parts = escaped.replaceAll('**/', '\0').replace(/\*+/g, '[^/]*').replaceAll('?', '[^/]');
  return new RegExp(`^${parts.replaceAll('\0', '(.*/)?')}$`);
}

/** `UserError` for a shard that is missing, by the numbers in the names of the others. */
function refuseMissing(folder: string, names: readonly string[]): void {
  const shards = names.flatMap((name) => {
    const [, before, number, of, after] = /^(.*-)(\d{5})(-of-\d{5})(.*)$/.exec(name) ?? [];
    return before === undefined ? [] : [{ name, before, number: Number(number), of: of!, after: after! }];
  });
  const known = new Set(shards.map(({ before, number, of }) => `${before}${number}${of}`));
  const groups = new Map(shards.map((shard) => [`${shard.before}${shard.of}`, shard]));
  for (const { name, before, of, after } of groups.values())
    for (let i = 0; i < Number(of.slice(-5)); i++)
      if (!known.has(`${before}${i}${of}`))
        throw new UserError(
          `${folder}: expected ${before}${String(i).padStart(5, '0')}${of}${after}, which is missing beside ${name}`,
          'Get that file too.',
        );
}
