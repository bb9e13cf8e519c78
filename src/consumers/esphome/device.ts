import { CHANNELS, MicroFrontEnd, RATE, UNIT } from '../../data/formats/micro-features/front-end.ts';
import { openTflite } from '../../runtime/litert.ts';
import type { TfliteSession } from '../../runtime/litert.ts';
import { UserError } from '../../base/errors.ts';
import type { TensorQuantization } from '../../graph/quantization.ts';

/** Milliseconds from a frame of features to the next one. */
export const STEP_MS = 10;

/** Largest feature that a device tells from others, in units of the front end. */
const MOST = 666;

/** Scale by which ESPHome makes integers of features, whatever a file says (`micro_wake_word.cpp`): round(256 · feature / 26) - 128. */
export const FEATURE_SCALE: TensorQuantization = {
  dtype: 'int8',
  scales: [Math.fround((MOST * UNIT) / 256)],
  zeroPoints: [-128],
};

/** Values whose features are computed at a time: ten seconds. */
const AT_ONCE = 10 * RATE;

/** Features, in units of the front end, as ESPHome feeds them. */
function asFed(features: Uint16Array): Int8Array {
  return Int8Array.from(features, (value) => Math.min(127, Math.floor((value * 256 + MOST / 2) / MOST) - 128));
}

/** A device that listens, in the official runtime of TFLite: sounds go in one after another, and the past of the file and the noise that the front end knows are kept between them. */
export class Device {
  readonly #session: TfliteSession;
  readonly #frontEnd = new MicroFrontEnd();
  #waiting: number[] = [];
  /** Frames that the file takes at a time. */
  readonly hop: number;

  private constructor(session: TfliteSession, hop: number) {
    this.#session = session;
    this.hop = hop;
  }

  /** `UserError` for a file that ESPHome refuses: anything but int8 [1, hop, 40] and uint8 [1, 1]. */
  static async open(bytes: Uint8Array, name: string): Promise<Device> {
    const session = await openTflite(bytes, { name });
    const [[input], [output]] = [session.inputs, session.outputs];
    const [, hop, channels] = input?.shape ?? [];
    const isFit = input?.dtype === 'int8' && input.shape.length === 3 && channels === CHANNELS && hop !== undefined;
    if (!isFit || output?.dtype !== 'uint8' || output.shape.join() !== '1,1') {
      session.dispose();
      throw new UserError(
        `${name}: expected int8 [1, hop, ${CHANNELS}] and uint8 [1, 1], received ${input?.dtype} [${input?.shape.join(', ')}] and ${output?.dtype} [${output?.shape.join(', ')}]`,
        'Write it with limbeck export RUN --esphome FOLDER.',
      );
    }
    return new Device(session, hop);
  }

  /** Probability, 0 to 255, after each hop that `sound` completes: 16-bit values at 16 kHz. */
  async hear(sound: Int16Array): Promise<Uint8Array> {
    const [[input], [output]] = [this.#session.inputs, this.#session.outputs] as const;
    const size = this.hop * CHANNELS;
    const found: number[] = [];
    for (let from = 0; from < sound.length; from += AT_ONCE) {
      const fed = [...this.#waiting, ...asFed(this.#frontEnd.heard(sound.subarray(from, from + AT_ONCE)))];
      let at = 0;
      for (; at + size <= fed.length; at += size) {
        const results = await this.#session.run({ [input!.name]: Int8Array.from(fed.slice(at, at + size)) });
        found.push((results[output!.name] as Uint8Array)[0]!);
      }
      this.#waiting = fed.slice(at);
    }
    return Uint8Array.from(found);
  }

  close(): void {
    this.#session.dispose();
  }
}

/** Values from -1 to 1 as the microphone of a device gives them. */
export function asHeard(values: Float32Array): Int16Array {
  return Int16Array.from(values, (value) => Math.max(-32_768, Math.min(32_767, Math.round(value * 32_768))));
}

/** Values of `seconds` of sound. */
export const lengthOf = (seconds: number): number => Math.round(seconds * RATE);
