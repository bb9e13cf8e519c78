import * as tf from '@tensorflow/tfjs-core';
import { greatestCommonDivisor } from '../base/numbers.ts';
import { inLayer } from '../trace/scope.ts';
import { cosines, framesOf, melFilters } from './mel.ts';
import type { LogMel } from './mel.ts';
import type { ModelNetwork } from './network.ts';

/** Layer of all ops of the front-end. In files of few bits it stays float: powers of a spectrum span ten orders of magnitude. */
export const LOG_MEL = 'log-mel';

/** Power that counts as silence: added to every band before the logarithm. */
const SILENCE = 1e-6;

/**
 * The network on the logarithm of the mel spectrum of its input [batch, length, 1], values from -1 to 1. The spectrum is computed in
 * the graph, so that every exported file takes the sound itself. Band m of frame t is ln(1 + P / 1e-6), where P is what
 * `librosa.feature.melspectrogram(n_fft=window, hop_length=hop, window='hann', center=False, power=2)` gives; silence is 0.
 */
export function logMelNetwork(network: ModelNetwork, sound: LogMel): ModelNetwork {
  const [inner, ...others] = Object.keys(network.inputs);
  if (inner === undefined || others.length > 0) throw new Error('a network on sounds has one input');
  const constants = constantsOf(sound);
  return {
    ...network,
    inputs: { [inner]: { dtype: 'float32', shape: ['batch', sound.length, 1] } },
    forward: (inputs, options) =>
      network.forward({ [inner]: inLayer(LOG_MEL, () => logMel(inputs[inner]!, sound, constants)) }, options),
    definition: () => ({ network: network.definition(), sound }),
    withWeights: async (weights) => logMelNetwork(await network.withWeights(weights), sound),
  };
}

interface Constants {
  /** Values that both the window and the hop are a multiple of: the sound in blocks of them is a sequence with so many channels. */
  readonly block: number;
  /** [window / block, 1, block, 2 · bins]: cosines and sines under the window, of the bins that a band has. */
  readonly transform: Float32Array;
  readonly bins: number;
  /** [1, 1, 2 · bins, mels]: squares of both, summed by band. */
  readonly bands: Float32Array;
}

function logMel(x: tf.Tensor, sound: LogMel, { block, transform, bins, bands }: Constants): tf.Tensor {
  const { window, hop, mels, coefficients } = sound;
  const frames = framesOf(sound);
  const used = (frames - 1) * hop + window;
  const whole = used === sound.length ? x : tf.slice(x, [0, 0, 0], [-1, used, 1]);
  const blocks = tf.reshape<tf.Rank.R4>(whole, [-1, used / block, 1, block]);
  const filter = tf.tensor4d(transform, [window / block, 1, block, 2 * bins]);
  const spectrum = tf.conv2d(blocks, filter, [hop / block, 1], 'valid');
  const sums = tf.conv2d(tf.square(spectrum), tf.tensor4d(bands, [1, 1, 2 * bins, mels]), 1, 'valid');
  const logarithms = tf.sub<tf.Tensor4D>(tf.log(tf.add(sums, SILENCE)), Math.log(SILENCE));
  if (coefficients === undefined) return tf.reshape(logarithms, [-1, frames, mels, 1]);
  const filters = tf.tensor4d(cosines(mels, coefficients), [1, 1, mels, coefficients]);
  return tf.reshape(tf.conv2d(logarithms, filters, 1, 'valid'), [-1, frames, coefficients, 1]);
}

function constantsOf(sound: LogMel): Constants {
  const { window, hop, mels } = sound;
  const filters = melFilters(sound);
  const all = Array.from({ length: Math.floor(window / 2) + 1 }, (_, bin) => bin);
  const used = all.filter((bin) => filters.subarray(bin * mels, (bin + 1) * mels).some((value) => value > 0));
  const bins = used.length;
  const transform = new Float32Array(window * 2 * bins);
  const bands = new Float32Array(2 * bins * mels);
  for (const [b, bin] of used.entries()) {
    for (let i = 0; i < window; i++) {
      // Hann's window as for a spectrum: periodic.
      const weight = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / window);
      const angle = (2 * Math.PI * ((bin * i) % window)) / window;
      transform[i * 2 * bins + b] = weight * Math.cos(angle);
      transform[i * 2 * bins + bins + b] = weight * Math.sin(angle);
    }
    for (let m = 0; m < mels; m++) {
      bands[b * mels + m] = filters[bin * mels + m]!;
      bands[(bins + b) * mels + m] = filters[bin * mels + m]!;
    }
  }
  return { block: greatestCommonDivisor(window, hop), transform, bins, bands };
}
