import path from 'node:path';
import { UserError, clipped, shown } from '../../../base/errors.ts';
import type { DataFiles, WebDatasetConfig } from '../../config.ts';
import type { RawSplit } from '../../dataset.ts';
import { ImageSink } from '../../pictures/images.ts';
import type { PicturesGiven } from '../../pictures/images.ts';
import { LabelNames } from '../../splits/label-names.ts';
import { noLabels } from '../../readers/labelled.ts';
import type { LabelsRead } from '../../readers/labelled.ts';
import { fileList } from '../../readers/source.ts';
import { Tar } from './tar.ts';
import type { TarMember } from './tar.ts';
import type { DatasetConfig } from '../../config.ts';
import type { SampleStart } from '../../readers/guess.ts';
import type { SplitReader } from '../../readers/registry.ts';

type WebDatasetOptions = Pick<WebDatasetConfig, 'image' | 'label' | 'resize' | 'channels'> & PicturesGiven & LabelsRead;

/** Members of a sample by the part of their names behind the first dot. */
type Sample = ReadonlyMap<string, TarMember>;

/** Number of pictures that are in memory before they are decoded. */
const AT_ONCE = 64;
/** Most bytes of a label. */
const LONGEST_LABEL = 2 ** 16;

/**
 * Reads tar archives in WebDataset's layout (https://github.com/webdataset/webdataset): neighbouring members whose names are equal up to the first dot
 * are a sample, such as `0001.jpg` and `0001.cls`. Archives are walked through twice: for the labels, and for the pictures unless they are in the cache.
 */
export async function readWebDataset(source: DataFiles, options: WebDatasetOptions): Promise<RawSplit> {
  const files = fileList(source);
  const { label = 'cls', withoutLabels = false } = options;
  const labels = new LabelNames();
  let count = 0;
  let first: Sample | undefined;
  const versions = new Map<string, string>();
  for (const file of files)
    await eachSample(file, async (sample, tar) => {
      first ??= sample;
      versions.set(file, tar.version);
      const { name } = pictureOf(sample, file, options);
      count++;
      if (withoutLabels) return;
      const member = sample.get(label);
      const text = member === undefined ? '' : await labelText(tar, member);
      if (text === '') labels.pushNone(() => `${file}: ${name}`);
      else labels.push(text, () => `${file}: ${member!.name}`);
    });
  if (first === undefined)
    throw new UserError(`${files.join(', ')}: no samples in it`, 'Name archives with pictures, such as 0001.jpg.');
  if (!withoutLabels && labels.distinct === 0)
    throw new UserError(
      `${files[0]!}: no sample has a label in a member .${label}; the first has .${[...first.keys()].join(', .')}`,
      'Set `label` to the ending of the members with the labels.',
    );
  const sink = new ImageSink(options, count, options);
  if (!(await sink.begin(files, `members ${options.image ?? ''}`))) {
    for (const file of files) await addPictures(sink, { file, version: versions.get(file) }, options);
    await sink.finish();
  }
  const read = { sampleShape: sink.shape!, ...sink.held(files[0]!), originals: sink.originals() };
  return { source: files[0]!, ...read, labels: withoutLabels ? noLabels(count) : labels.labels() };
}

/** The first pictures of an archive. */
async function firstPictures(file: string, most: number): Promise<Uint8Array[]> {
  const pictures: Uint8Array[] = [];
  await eachSample(file, async (sample, tar) => {
    pictures.push(await tar.bytesOf(pictureOf(sample, file, {})));
    return pictures.length < most;
  });
  return pictures;
}

/** `version`: that of the archive when its labels were read. `UserError` for another one, whose pictures have other labels. */
async function addPictures(
  sink: ImageSink,
  { file, version }: { readonly file: string; readonly version: string | undefined },
  options: WebDatasetOptions,
): Promise<void> {
  let waiting: { where: string; input: Uint8Array }[] = [];
  const flush = async (): Promise<void> => {
    await sink.add(waiting);
    waiting = [];
  };
  await eachSample(file, async (sample, tar) => {
    if (tar.version !== version)
      throw new UserError(
        `${file}: was replaced or changed after its labels had been read, before its pictures were`,
        'Leave the files of a data set as they are while they are in use, and start again.',
      );
    const picture = pictureOf(sample, file, options);
    waiting.push({ where: `${file}: ${picture.name}`, input: await tar.bytesOf(picture) });
    if (waiting.length === AT_ONCE) await flush();
  });
  await flush();
}

/** Calls `use` for each sample of an archive in order, until it returns false. */
async function eachSample(file: string, use: (sample: Sample, tar: Tar) => Promise<unknown>): Promise<void> {
  const tar = await Tar.open(file);
  try {
    let key: string | undefined;
    let members = new Map<string, TarMember>();
    for await (const member of tar.members()) {
      const { dir, base } = path.posix.parse(member.name);
      const dot = base.indexOf('.');
      // Hidden files, which macOS adds, and files without an ending belong to no sample, as in WebDataset.
      if (dot <= 0) continue;
      const [own, ending] = [`${dir}/${base.slice(0, dot)}`, base.slice(dot + 1).toLowerCase()];
      if (own !== key && members.size > 0 && (await use(members, tar)) === false) return;
      if (own !== key) members = new Map();
      key = own;
      if (members.has(ending))
        throw new UserError(`${file}: holds ${shown(member.name)} twice`, 'Give every sample a name of its own.');
      members.set(ending, member);
    }
    if (members.size > 0) await use(members, tar);
  } finally {
    await tar.close();
  }
}

function pictureOf(sample: Sample, file: string, { image }: WebDatasetOptions): TarMember {
  const endings = [...sample.keys()];
  const chosen = endings.filter((ending) =>
    image === undefined ? /(^|\.)(png|jpe?g|webp)$/.test(ending) : ending === image.toLowerCase(),
  );
  const [found] = chosen;
  if (found !== undefined && chosen.length === 1) return sample.get(found)!;
  const { name } = sample.get(endings[0]!)!;
  const expected = image === undefined ? 'one picture (.png, .jpg, .jpeg, .webp)' : `a member .${image}`;
  throw new UserError(
    `${file}: the sample of ${shown(name)} has .${clipped(endings.join(', .'))}, expected ${expected}`,
    chosen.length === 0 ? 'Set `image` to the ending of the pictures.' : `Set \`image\`, e.g. \`image: ${found!}\`.`,
  );
}

async function labelText(tar: Tar, member: TarMember): Promise<string> {
  const where = `${tar.file}: ${member.name}`;
  if (member.size > LONGEST_LABEL)
    throw new UserError(
      `${where}: expected a label, received ${member.size} bytes`,
      'Set `label` to the ending of the members with the labels.',
    );
  const text = (await tar.bytesOf(member)).toString('utf8').trim();
  if (!text.startsWith('{')) return text;
  throw new UserError(
    `${where}: expected a label as text, received JSON`,
    'Write labels as text, such as the index of the class in a member .cls.',
  );
}

export const reader: SplitReader<Extract<DatasetConfig, { type: 'webdataset' }>> = {
  shares: 'decoded',
  read: readWebDataset,
};

export const start: SampleStart = async (file, { encoded }) => ({ encoded: await firstPictures(file, encoded) });
