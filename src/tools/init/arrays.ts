import { stat } from 'node:fs/promises';
import { readBytes } from '../../base/files.ts';
import type { SeenForm } from '../../recipe/init.ts';
import { npyHeader } from '../../base/numpy.ts';
import { npyEntries } from '../../data/readers/numpy/zip.ts';

/** Usual names of the arrays of samples and of labels in an archive. */
const SAMPLES = ['x', 'x_train', 'X', 'samples', 'data', 'images', 'features', 'inputs'];
const LABELS = ['y', 'y_train', 'Y', 'labels', 'label', 'target', 'targets'];
/** Maximum bytes of a file to inspect; larger files are left to the reader. */
const LOOKED_INTO = 2 ** 28;
/** Minimum side of a picture, in pixels. */
const SIDE = 8;
/** Number of axes of a table, of time series and of colour pictures, and possible numbers of channels. */
const [TABLE, SERIES, PICTURES, CHANNELS] = [2, 3, 4, [1, 3]] as const;
/** Least number of steps for each channel, of sequences whose channels stand first. */
const MANY = 4;

/** Names of an .npz archive's arrays for samples and labels, and the kind of samples other than pictures. */
export async function arrayForm(file: string): Promise<SeenForm> {
  if ((await stat(file)).size > LOOKED_INTO) return {};
  if (!/\.npz$/i.test(file)) return kindOf(npyHeader(await readBytes(file), file));
  const entries = new Map(
    Object.entries(await npyEntries(file)).map(([name, data]) => [name.replace(/\.npy$/, ''), data]),
  );
  const has = (names: readonly string[]): string | undefined => names.find((name) => entries.has(name));
  const [samples, labels] = [has(SAMPLES), has(LABELS)];
  if (samples === undefined) return {};
  const kind = kindOf(npyHeader(entries.get(samples)!, `${file}: ${samples}`));
  return { ...kind, ...(labels !== undefined && { arrays: { samples, labels } }) };
}

/** Three axes of bytes are grey pictures; of other numbers, time series, as from an accelerometer, whose many steps may stand behind few channels. */
function kindOf({ shape, code }: ReturnType<typeof npyHeader>): Pick<SeenForm, 'sample' | 'layout'> {
  if (shape.length <= TABLE) return { sample: 'table' };
  const isWide = shape.slice(1, 3).every((side) => side >= SIDE);
  const isPicture = isWide && (shape.length === PICTURES ? CHANNELS.includes(shape[3]! as 1 | 3) : code === 'u1');
  if (isPicture) return {};
  if (shape.length !== SERIES) return { sample: 'array' };
  const isChannelsFirst = MANY * shape[1]! <= shape[2]!;
  return { sample: 'series', ...(isChannelsFirst && { layout: 'ncw' }) };
}
