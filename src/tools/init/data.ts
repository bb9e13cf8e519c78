import { lstat, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { asUserError, exists } from '../../base/files.ts';
import { leadsUp } from '../../data/readers/class-folder.ts';
import { guesses } from '../../data/readers/guess.ts';
import type { SeenData } from '../../data/readers/guess.ts';
import { folderNames, maskLayout, maskLists } from '../../data/readers/mask-files.ts';
import { besideData, describedAs, seenBoxes } from './boxes.ts';
import { DATA_TYPES, dataType } from '../../recipe/data-types.ts';
import type { DataTypeName as Type } from '../../recipe/data-types.ts';
import type { HubSplit } from '../../recipe/init.ts';
import { parquetSplits } from '../../setup/hub/parquet.ts';

/** Types of a folder by its files' extensions, and of a file by its own. */
const IN_FOLDER = typesByEnding(true);
const OF_FILE = typesByEnding(false);
const SPLITS = { train: ['train', 'training'], test: ['test', 'testing'], unlabelled: ['unlabelled', 'unlabeled'] };

function typesByEnding(inFolder: boolean): Readonly<Partial<Record<string, Type>>> {
  const types = (Object.keys(DATA_TYPES) as Type[]).filter((type) => (dataType(type).isFolder === true) === inFolder);
  return Object.fromEntries(types.flatMap((type) => dataType(type).endings.map((ending) => [ending, type] as const)));
}

/** Maximum number of files to count. */
const ENOUGH = 2000;

/** Type of the data at `place`; undefined if names do not tell. `wantsBoxes`: boxes before masks and points, where there are both. `UserError` for a missing place. */
export async function seenData(place: string, wantsBoxes = false): Promise<SeenData | undefined> {
  const isFolder = await stat(place).then(
    (found) => found.isDirectory(),
    (error: unknown) => {
      throw asUserError(error, place, 'read');
    },
  );
  const name = path.basename(place);
  if (!isFolder) {
    const ending = path.extname(name.replace(/\.gz$/i, '')).toLowerCase();
    const described = await describedAs(place, wantsBoxes);
    const type = described ?? OF_FILE[ending] ?? (/-idx\d-ubyte(\.gz)?$/i.test(name) ? 'idx' : undefined);
    const unsupported = await besideData(place);
    const testBeside = await testFileOf(place);
    const isByForm = described !== undefined && described !== OF_FILE[ending];
    const why = isByForm
      ? `${name} has the form of ${described}`
      : `${name} ends in ${ending === '' ? 'ubyte' : ending}`;
    const splits = type && (await (await guesses.loadIfThere(type))?.file?.splits(place));
    return (
      type && {
        type,
        why,
        notes: [],
        ...(unsupported && { unsupported }),
        ...(splits && { splits }),
        ...(testBeside && { testBeside }),
      }
    );
  }
  const inside = await folderNames(place);
  const firstOf = (names: readonly string[]): string | undefined =>
    inside.find((entry) => names.includes(entry.toLowerCase()));
  const [train, test, unlabelled] = [firstOf(SPLITS.train), firstOf(SPLITS.test), firstOf(SPLITS.unlabelled)];
  const counts = new Map<string, number>();
  const root = train === undefined ? place : path.join(place, train);
  const inRoot = train === undefined ? inside : await folderNames(root);
  const splits = train === undefined ? undefined : { train, ...(test && { test }), ...(unlabelled && { unlabelled }) };
  const layout = maskLayout(inRoot);
  if (layout !== undefined && !wantsBoxes) {
    const why = `${path.relative(path.dirname(place), root)} holds ${layout.images} and ${layout.masks}`;
    const lists = splits ?? (await listsIn(place, inside));
    return { type: 'mask-folder', why, notes: [], ...(lists && { splits: lists }) };
  }
  const withBoxes = await seenBoxes(place, inside, wantsBoxes);
  if (withBoxes !== undefined) return withBoxes;
  const unsupported = masksIn(inside) ?? masksIn(inRoot);
  const seen = { left: ENOUGH, least: Infinity };
  await count(root, counts, seen, 0);
  const known = [...counts].filter(([ending]) => IN_FOLDER[ending] !== undefined).sort((a, b) => b[1] - a[1]);
  const [first] = known;
  if (first === undefined) return seenTables(place, inside);
  const [ending, number] = first;
  const least = number >= ENOUGH ? 'at least ' : '';
  const why = `${train === undefined ? name : path.join(name, train)} holds ${least}${number} files ${ending}`;
  const outermost = seen.least > 1 ? (await folderNames(root)).filter((entry) => !entry.startsWith('.')) : [];
  const some = `${outermost.slice(0, 5).join(', ')}${outermost.length > 5 ? ', …' : ''}`;
  const notes =
    outermost.length > 0 ? [`the classes are its outermost folders, ${some}: the files lie in folders of these`] : [];
  const flat = seen.least === 0 && { isFlat: true };
  return {
    type: IN_FOLDER[ending]!,
    why,
    notes,
    ...flat,
    ...(splits && { splits }),
    ...(unsupported && { unsupported }),
  };
}

/** Tables in a folder: a data set of the hub in Parquet files, or a file called train. */
async function seenTables(place: string, inside: readonly string[]): Promise<SeenData | undefined> {
  const name = path.basename(place);
  if (await holdsParquet(place)) {
    const within = Object.keys(parquetSplits(place)) as HubSplit[];
    return { type: 'parquet', why: `${name} holds Parquet files of ${within.join(', ')}`, notes: [], within };
  }
  for (const train of inside) {
    const { name: stem, ext } = path.parse(train);
    const type = OF_FILE[ext.toLowerCase()];
    if (type === undefined || !SPLITS.train.includes(stem.toLowerCase())) continue;
    const test = await testFileOf(path.join(place, train));
    const why = `${name} holds ${[train, ...(test === undefined ? [] : [test])].join(' and ')}`;
    return { type, why, notes: [], splits: { train, ...(test && { test }) } };
  }
  return undefined;
}

async function holdsParquet(folder: string): Promise<boolean> {
  const names = await readdir(folder, { recursive: true });
  return names.some((name) => /(^|[/\\])train[-.][^/\\]*\.parquet$/.test(name));
}

/** Name of the test file that lies beside a training file: test.csv beside train.csv, x_test.csv beside x_train.csv. */
async function testFileOf(train: string): Promise<string | undefined> {
  const { dir, base, name, ext } = path.parse(train);
  const wanted = /(^|[-_. ])train(ing)?$/i.test(name) ? `${name.replace(/train(ing)?$/i, 'test')}${ext}` : base;
  return wanted !== base && (await exists(path.join(dir, wanted))) ? wanted : undefined;
}

/** The lists of Pascal VOC for training and for the test. */
async function listsIn(place: string, inside: readonly string[]): Promise<SeenData['splits']> {
  const lists = await maskLists(place, inside);
  const [train, test] = ['train.txt', 'val.txt'].map((name) => lists.find((list) => path.basename(list) === name));
  return train === undefined ? undefined : { train, ...(test && { test }) };
}

/** Names of pictures and of their masks or boxes: the layout of data for segmentation and detection. */
function masksIn(names: readonly string[]): string | undefined {
  const pictures = names.find((name) => /^(images?|imgs?|jpegimages)$/i.test(name));
  const answers = names.find((name) =>
    /^(masks?|labels?|annotations?|segmentations?|segmentationclass|ground_?truth|gt)$/i.test(name),
  );
  const file = names.find((name) => /annotations.*\.json$/i.test(name));
  if (file !== undefined)
    return `has the annotation file ${file}, which is not in COCO's format or not near its pictures`;
  return (
    pictures &&
    answers &&
    `holds ${pictures} and ${answers}, as data with masks or boxes do, in a layout that is not read`
  );
}

/** Counts the extensions of the files in a folder, at any depth, and the minimum depth. Links to folders are followed, as by the readers. */
async function count(
  folder: string,
  counts: Map<string, number>,
  seen: { left: number; least: number },
  depth: number,
): Promise<void> {
  for (const name of await folderNames(folder)) {
    if (seen.left === 0) return;
    if (name.startsWith('.') || name === '__MACOSX') continue;
    const full = path.join(folder, name);
    // The reader reports a dangling link.
    if ((await stat(full).catch(() => undefined))?.isDirectory() === true) {
      const isLink = (await lstat(full)).isSymbolicLink();
      if (!isLink || !(await leadsUp(full))) await count(full, counts, seen, depth + 1);
      continue;
    }
    const ending = path.extname(name).toLowerCase();
    counts.set(ending, (counts.get(ending) ?? 0) + 1);
    if (IN_FOLDER[ending] !== undefined) seen.least = Math.min(seen.least, depth);
    seen.left--;
  }
}
