import { UserError } from '../../base/errors.ts';
import { parseNpy } from '../../base/numpy.ts';
import { Philox } from '../../base/philox.ts';
import { rowsOfArray, rowsOfArrays } from '../../convert/rows.ts';
import type { Rows } from '../../convert/rows.ts';
import { entriesIn, unpacked } from '../../convert/unzip.ts';
import type { TensorType } from '../../graph/types.ts';
import { SCALES } from './messages.ts';
import type { ChosenFile, SampleChoice } from './messages.ts';

type Inputs = ReadonlyMap<string, TensorType>;

/** Samples for the inputs of a model, with a sentence on how far a calibration by them can be trusted. */
export interface ChosenSamples {
  readonly rows: ReadonlyMap<string, Rows>;
  readonly worth: string;
}

/** Random samples: enough that a quarter is held out where they calibrate, and a few where they only compare. */
const [MADE_UP, MADE_UP_TO_COMPARE] = [64, 8];

/** Samples of which more tell the ranges of activations hardly any better, see docs/export.md. */
const ENOUGH = 128;

/** Reads the samples that the user chose, or makes some up. */
export async function samplesFor(
  inputs: Inputs,
  { files, scale }: SampleChoice,
  isCalibrated: boolean,
): Promise<ChosenSamples> {
  if (files.length === 0) return madeUp(inputs, isCalibrated);
  const arrays = files.filter(({ name }) => /\.np[yz]$/i.test(name));
  if (arrays.length > 1 || (arrays.length === 1 && files.length > 1))
    throw new UserError(
      `samples: expected pictures, or one .npy or .npz file, received ${files.map(({ name }) => name).join(', ')}`,
      'Choose one of them.',
    );
  const rows = arrays.length === 1 ? await ofArrays(arrays[0]!, inputs) : await ofPictures(files, inputs, scale);
  const count = [...rows.values()][0]!.shape[0] ?? 1;
  const few =
    isCalibrated && count < ENOUGH ? ` ${count} are few: ${ENOUGH} or more, as different as what it will meet.` : '';
  const how = arrays.length === 1 ? '' : ` Each picture was stretched to the size of the input and scaled: ${scale}.`;
  return {
    rows,
    worth: `Your ${count} samples from ${files.length === 1 ? files[0]!.name : `${count} pictures`}.${how}${few}`,
  };
}

/** Gives the same random numbers as `RandomStream` with the same key. `UserError` where the browser computes no SHA-256. */
export async function streamOf(...key: readonly (string | number)[]): Promise<Philox> {
  const { subtle } = globalThis.crypto as Partial<Crypto>;
  if (subtle === undefined)
    throw new UserError(
      'this browser gives a page at such an address no SHA-256, from which random numbers follow',
      'Open the page at localhost, or by https.',
    );
  return new Philox(new Uint8Array(await subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify(key)))));
}

interface Crypto {
  readonly subtle: { digest(name: string, data: Uint8Array): Promise<ArrayBuffer> };
}

/** Numbers as normalized data have them, and 0 and 1 for whole ones, which are indexes of any table. */
async function madeUp(inputs: Inputs, isCalibrated: boolean): Promise<ChosenSamples> {
  const count = isCalibrated ? MADE_UP : MADE_UP_TO_COMPARE;
  const rows = new Map<string, Rows>();
  for (const [name, { dtype, shape }] of inputs) {
    const random = await streamOf('random samples', name);
    const [first = 1, ...rest] = sizesOf(name, shape);
    const own = shape.length === 0 ? [] : [typeof shape[0] === 'string' ? count : count * first, ...rest];
    const isWhole = dtype !== 'float32' && dtype !== 'float16';
    const length = own.reduce((product, size) => product * size, 1);
    const values = Float32Array.from({ length }, () => (isWhole ? random.below(2) : random.normal()));
    rows.set(name, { values, shape: own });
  }
  const worth = isCalibrated
    ? 'Calibrated on random numbers, which have other ranges than real inputs: the file answers real inputs worse than it could, and the figures below say little about them. Choose samples of your own for a file to ship.'
    : 'Compared on random numbers: they show a wrong file, and say little about how it answers real inputs.';
  return { rows, worth };
}

/** Sizes of a sample's axes. `UserError` for open ones behind the first. */
function sizesOf(name: string, shape: TensorType['shape']): number[] {
  if (shape.slice(1).some((size) => typeof size === 'string'))
    throw new UserError(
      `the input ${name} has the shape [${shape.join(', ')}], with open sizes behind the first`,
      'Say its sizes above, or choose samples of your own.',
    );
  return shape.map((size) => (typeof size === 'number' ? size : 1));
}

async function ofArrays(file: ChosenFile, inputs: Inputs): Promise<Map<string, Rows>> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (!/\.npz$/i.test(file.name)) return rowsOfArray(parseNpy(bytes, file.name), inputs, file.name);
  const arrays: Record<string, Uint8Array> = {};
  try {
    for (const entry of await entriesIn(bytes))
      if (entry.name.endsWith('.npy')) arrays[entry.name.slice(0, -'.npy'.length)] = unpacked(bytes, entry);
  } catch (error) {
    throw new UserError(
      `${file.name}: not an .npz archive, or a damaged one (${(error as Error).message})`,
      'Write it with numpy.savez.',
      { cause: error },
    );
  }
  const parse = (name: string) => parseNpy(arrays[name]!, `${file.name}: ${name}`);
  return rowsOfArrays(Object.keys(arrays), parse, inputs, file.name);
}

interface PictureScope {
  readonly createImageBitmap: (file: Blob) => Promise<{ close(): void }>;
  readonly OffscreenCanvas: new (
    width: number,
    height: number,
  ) => {
    getContext(
      kind: '2d',
      options: object,
    ): {
      imageSmoothingQuality: string;
      clearRect(x: number, y: number, width: number, height: number): void;
      drawImage(picture: object, x: number, y: number, width: number, height: number): void;
      getImageData(x: number, y: number, width: number, height: number): { readonly data: Uint8ClampedArray };
    };
  };
}

/** Mean and deviation of red, green and blue in ImageNet's pictures, as torchvision has them. */
const [MEAN, DEVIATION] = [
  [0.485, 0.456, 0.406],
  [0.229, 0.224, 0.225],
] as const;

/** Number that a model is fed for the value of a pixel, 0 to 255. */
const SCALED: Readonly<Record<SampleChoice['scale'], (value: number, channel: number) => number>> = {
  [SCALES[0]]: (value) => value / 255,
  [SCALES[1]]: (value) => value / 127.5 - 1,
  [SCALES[2]]: (value, channel) => (value / 255 - MEAN[channel]!) / DEVIATION[channel]!,
  [SCALES[3]]: (value) => value,
};

async function ofPictures(
  files: readonly ChosenFile[],
  inputs: Inputs,
  scale: SampleChoice['scale'],
): Promise<Map<string, Rows>> {
  const [[name, { shape }] = ['', { shape: [] as TensorType['shape'] }]] = inputs;
  const isLast = shape[3] === 3 || shape[3] === 1;
  const [height, width, channels] = isLast ? shape.slice(1) : [shape[2], shape[3], shape[1]];
  const isPicture = inputs.size === 1 && shape.length === 4 && (channels === 3 || channels === 1);
  if (!isPicture || typeof height !== 'number' || typeof width !== 'number')
    throw new UserError(
      `pictures: expected a model with one input of 3 or 1 channels and a fixed size, received ${[...inputs].map(([input, type]) => `${input} [${type.shape.join(', ')}]`).join(', ')}`,
      'Choose samples as .npy, or .npz with an array for each input.',
    );
  const { createImageBitmap, OffscreenCanvas } = globalThis as unknown as PictureScope;
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  context.imageSmoothingQuality = 'high';
  const size = width * height * channels;
  const values = new Float32Array(files.length * size);
  for (const [i, file] of files.entries()) {
    const picture = await createImageBitmap(file).catch(() => {
      throw new UserError(
        `${file.name}: is no picture that this browser reads`,
        'Choose PNG, JPEG or WebP files, .npy or .npz.',
      );
    });
    context.clearRect(0, 0, width, height);
    context.drawImage(picture, 0, 0, width, height);
    picture.close();
    const { data } = context.getImageData(0, 0, width, height);
    for (let at = 0; at < width * height; at++)
      for (let channel = 0; channel < channels; channel++) {
        const place = isLast ? at * channels + channel : channel * width * height + at;
        values[i * size + place] = SCALED[scale](
          channels === 1 ? greyOf(data, 4 * at) : data[4 * at + channel]!,
          channel,
        );
      }
  }
  return new Map([[name, { values, shape: [files.length, ...(shape.slice(1) as number[])] }]]);
}

/** Luma of ITU-R BT.601, as Pillow has it. */
const greyOf = (data: Uint8ClampedArray, at: number): number =>
  Math.round(0.299 * data[at]! + 0.587 * data[at + 1]! + 0.114 * data[at + 2]!);
