import * as tf from '@tensorflow/tfjs-core';
import { LOG_MEL } from '../../graph/front-end.ts';
import { inLayer } from '../../trace/scope.ts';
import { fourierTables, powerSpectrum } from './fourier.ts';
import type { FourierTables } from './fourier.ts';
import { bandGroups, cosines, framesOf } from './mel.ts';
import type { BandGroup, LogMel } from './mel.ts';
import type { ModelNetwork } from '../network.ts';
import { specAugmented } from './spec-augment.ts';

/** Power of silence, which is added to every band before the logarithm. */
const SILENCE = 1e-6;

/**
 * Prepends a log-mel front-end, so that the network's input is a sound [batch, length, 1] of values from -1 to 1. The spectrum is computed in the
 * graph: every exported file takes the sound itself. Band m of frame t is ln(1 + P / 1e-6), with P as in
 * `librosa.feature.melspectrogram(n_fft=window, hop_length=hop, window='hann', center=False, power=2)`; silence is 0.
 */
export function logMelNetwork(network: ModelNetwork, sound: LogMel): ModelNetwork {
  const [inner, ...others] = Object.keys(network.inputs);
  if (inner === undefined || others.length > 0) throw new Error('a network on sounds has one input');
  const constants = constantsOf(sound);
  return {
    ...network,
    inputs: { [inner]: { dtype: 'float32', shape: ['batch', sound.length, 1] } },
    forward: (inputs, options) =>
      network.forward(
        { [inner]: inLayer(LOG_MEL, () => logMel(inputs[inner]!, sound, constants, options.training)) },
        options,
      ),
    definition: () => ({ network: network.definition(), sound }),
    withWeights: async (weights) => logMelNetwork(await network.withWeights(weights), sound),
  };
}

/** Spectra of sounds [n, length] as a named network reads them: [n, frames, bands or coefficients, 1]. */
export function spectraOf(sounds: Float32Array, sound: LogMel): Promise<Float32Array> {
  const x = tf.tensor3d(sounds, [sounds.length / sound.length, sound.length, 1]);
  return logMel(x, sound, constantsOf(sound), false).data<'float32'>();
}

interface Constants {
  /** [window]: periodic Hann window. */
  readonly weights: Float32Array;
  readonly fourier: FourierTables;
  readonly groups: readonly BandGroup[];
}

function logMel(x: tf.Tensor, sound: LogMel, { weights, fourier, groups }: Constants, training: boolean): tf.Tensor {
  const { window, mels, coefficients, specAugment } = sound;
  const frames = framesOf(sound);
  const weighted = tf.mul(framed(x, sound), tf.tensor1d(weights));
  const power = powerSpectrum(tf.reshape(weighted, [-1, window]), fourier);
  const sums = groups.map(({ from, bins, bands, filters }) =>
    tf.matMul(tf.slice(power, [0, from], [-1, bins]), tf.tensor2d(filters, [bins, bands])),
  );
  const logarithms = tf.sub<tf.Tensor2D>(tf.log(tf.add(tf.concat(sums, 1), SILENCE)), Math.log(SILENCE));
  const isMasked = training && specAugment !== undefined;
  const heard = isMasked ? specAugmented(tf.reshape(logarithms, [-1, frames, mels]), specAugment) : logarithms;
  if (coefficients === undefined) return tf.reshape(heard, [-1, frames, mels, 1]);
  const cepstrum = tf.matMul(
    tf.reshape<tf.Rank.R2>(heard, [-1, mels]),
    tf.tensor2d(cosines(mels, coefficients), [mels, coefficients]),
  );
  return tf.reshape(cepstrum, [-1, frames, coefficients, 1]);
}

/** [batch, frames, window] of a sound [batch, length, 1]: rows of one hop, concatenated with the following rows. */
function framed(x: tf.Tensor, sound: LogMel): tf.Tensor {
  const { length, window, hop } = sound;
  const frames = framesOf(sound);
  const parts = Math.ceil(window / hop);
  const rows = frames - 1 + parts;
  const used = Math.min(length, rows * hop);
  const read = used === length ? x : tf.slice(x, [0, 0, 0], [-1, used, 1]);
  const whole =
    used === rows * hop
      ? read
      : tf.pad(read, [
          [0, 0],
          [0, rows * hop - used],
          [0, 0],
        ]);
  const byHop = tf.reshape(whole, [-1, rows, hop]);
  const columns = Array.from({ length: parts }, (_, i) =>
    tf.slice(byHop, [0, i, 0], [-1, frames, Math.min(hop, window - i * hop)]),
  );
  return tf.concat(columns, 2);
}

function constantsOf(sound: LogMel): Constants {
  const { window } = sound;
  const weights = Float32Array.from({ length: window }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / window));
  const groups = bandGroups(sound);
  const bins = Math.max(...groups.map((group) => group.from + group.bins));
  return { weights, fourier: fourierTables(window, bins), groups };
}
