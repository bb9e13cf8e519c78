import { UserError } from '../base/errors.ts';
import { sum } from '../base/numbers.ts';
import { clipLength } from '../data/sounds/clip.ts';
import { macsOf } from '../graph/macs.ts';
import { networkParameters } from '../networks/network.ts';
import type { ModelNetwork } from '../networks/network.ts';
import { smoothLength } from '../networks/sound/fourier.ts';
import { isFrontEnd } from '../graph/front-end.ts';
import { framesOf } from '../networks/sound/mel.ts';
import type { LogMel } from '../networks/sound/mel.ts';
import type { SpecAugment } from '../networks/sound/spec-augment.ts';
import type { Recipe } from '../recipe/schema.ts';
import { size } from '../report/format.ts';
import { traceWithBatch } from '../trace/batch.ts';
import { predictionProgram } from '../train/evaluate/inference.ts';

/** The front-end for the sounds of a recipe; undefined for other data. `UserError` for inconsistent keys. */
export function soundOf(dataset: Recipe['dataset']): LogMel | undefined {
  if (!('rate' in dataset)) return undefined;
  const { rate, seconds, features } = dataset;
  const { mels, low, high = rate / 2, coefficients } = features;
  const [window, hop] = [smoothLength(askedWindow(dataset)), Math.round(features.hop * rate)];
  const length = clipLength({ rate, seconds });
  const specAugment = masksOf(features.specAugment);
  const sound = { rate, length, window, hop, mels, low, high, coefficients, specAugment };
  if (askedWindow(dataset) < 2 || hop < 1 || framesOf(sound) < 1)
    throw new UserError(
      `dataset.features: a frame of ${window} values, one every ${hop}, does not fit into a sound of ${sound.length}`,
      'Change window and hop, or dataset.seconds.',
    );
  if (low >= high || high > rate / 2)
    throw new UserError(
      `dataset.features: expected low < high ≤ ${rate / 2} hertz (half of the rate), received ${low} and ${high}`,
      'Change them, or dataset.rate.',
    );
  if (coefficients !== undefined && coefficients > mels)
    throw new UserError(
      `dataset.features.coefficients: expected at most as many as mels, ${mels}, received ${coefficients}`,
      'Ask for fewer, or for more mels.',
    );
  if (specAugment !== undefined) checkMasks(specAugment, framesOf(sound), mels);
  return sound;
}

/** Number of values of a window as the recipe says it. */
function askedWindow({ rate, features }: Sounds): number {
  return Math.round(features.window * rate);
}

/** Notes for log and report on windows of another length than the recipe says, and on a spectrum that is larger or slower than the net behind it. */
export function soundNotes(dataset: Recipe['dataset'], network: ModelNetwork): readonly string[] {
  const sound = soundOf(dataset);
  if (sound === undefined || !('rate' in dataset)) return [];
  const { spectrum, net } = costsOf(network);
  // A network from a file is fed the sound itself.
  if (spectrum.bytes === 0) return [];
  const [asked, { window }] = [askedWindow(dataset), sound];
  const changed =
    `dataset.features.window: ${dataset.features.window} s are ${asked} values at ${sound.rate} Hz; windows have ${window}, without ` +
    'prime factors above 7, which keeps the spectrum small';
  const costs = ({ bytes, macs }: Costs): readonly [string, string] => [size(bytes), (macs / 1e6).toFixed(1)];
  const [[bytes, macs], [netBytes, netMacs]] = [costs(spectrum), costs(net)];
  const outweighing =
    `dataset.features: the spectrum takes ${bytes} of a float32 file and ${macs} million multiply-accumulates a sample, the net ${netBytes} and ${netMacs} million: ` +
    'a lower dataset.rate, a shorter window or a longer hop makes it smaller';
  const outweighs = spectrum.bytes > net.bytes || spectrum.macs > net.macs;
  return [...(asked === window ? [] : [changed]), ...(outweighs ? [outweighing] : [])];
}

/** Bytes of constants or weights in float32, and multiply-accumulates of a sample. */
interface Costs {
  readonly bytes: number;
  readonly macs: number;
}

function costsOf(network: ModelNetwork): { readonly spectrum: Costs; readonly net: Costs } {
  const graph = traceWithBatch((batchSize) => predictionProgram({ network, batchSize }));
  const nodes = graph.nodes.filter(({ layer = '' }) => isFrontEnd(layer));
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  const constants = [...graph.constants].filter(([name]) => read.has(name));
  const bytes = sum(constants.map(([, { data }]) => data.byteLength));
  const [macs, all] = [macsOf({ ...graph, nodes }), macsOf(graph)];
  return { spectrum: { bytes, macs }, net: { bytes: 4 * networkParameters(network), macs: all - macs } };
}

type Sounds = Extract<Recipe['dataset'], { rate: number }>;

/** Undefined for masks without width. */
function masksOf(given: Sounds['features']['specAugment']): SpecAugment | undefined {
  if (given === undefined) return undefined;
  const { timeWidth, frequencyWidth } = given;
  if (timeWidth === 0 && frequencyWidth === 0)
    throw new UserError(
      'dataset.features.specAugment: expected a timeWidth or a frequencyWidth above 0, received 0 for both',
      'Say how many frames (timeWidth) or bands (frequencyWidth) a mask may cover, or remove specAugment.',
    );
  return given;
}

function checkMasks({ timeWidth, frequencyWidth }: SpecAugment, frames: number, mels: number): void {
  for (const [key, width, size, what] of [
    ['timeWidth', timeWidth, frames, 'frames'],
    ['frequencyWidth', frequencyWidth, mels, 'bands'],
  ] as const)
    if (width >= size)
      throw new UserError(
        `dataset.features.specAugment.${key}: expected less than the ${size} ${what} of a sound, received ${width}`,
        'A mask that covers all of a sound leaves nothing to learn from: choose a smaller one.',
      );
}
