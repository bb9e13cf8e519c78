import { serialization, tensor, type Tensor } from '@tensorflow/tfjs-core';
import { initializers } from '@tensorflow/tfjs-layers';
import { RandomStream } from '../../base/random.ts';

export type Scheme = 'he-normal' | 'glorot-uniform' | 'normal' | 'mean';

export interface SeededConfig {
  readonly seed: number;
  /** Name of the random stream: a weight gets the same numbers whatever was built before. */
  readonly stream: string;
  readonly scheme: Scheme;
  /** Standard deviation for `normal`. */
  readonly deviation?: number;
  /** A depthwise filter [height, width, in, multiplier] reads one channel: its fan-in is height · width. */
  readonly depthwise?: boolean;
}

type Initializer = ReturnType<typeof initializers.ones>;
/** tfjs-layers accepts only descendants of its base class, which it does not export. */
const Base = Object.getPrototypeOf(initializers.ones().constructor) as new () => Initializer;

/** Draws weights with base/random.ts instead of tfjs' generator: equal seeds give equal bytes in every process. */
export class SeededInitializer extends Base {
  static readonly className = 'LimbeckSeeded';
  readonly #config: SeededConfig;

  constructor(config: SeededConfig) {
    super();
    this.#config = config;
  }

  override apply(shape: (number | null)[]): Tensor {
    const sizes = shape.map(Number);
    return tensor(draw(this.#config, sizes), sizes, 'float32');
  }

  override getConfig(): serialization.ConfigDict {
    return { ...this.#config };
  }
}
serialization.registerClass(SeededInitializer as unknown as serialization.SerializableConstructor<Initializer>);

function draw(config: SeededConfig, shape: readonly number[]): Float32Array {
  const random = new RandomStream(config.seed, 'init', config.stream);
  const size = shape.reduce((product, n) => product * n, 1);
  return scaled(config.scheme, fans(shape, config.depthwise ?? false), config.deviation ?? 0.02, random, size);
}

function scaled(
  scheme: Scheme,
  [fanIn, fanOut]: readonly [number, number],
  deviation: number,
  random: RandomStream,
  size: number,
): Float32Array {
  const values = new Float32Array(size);
  if (scheme === 'glorot-uniform') {
    const limit = Math.sqrt(6 / (fanIn + fanOut));
    for (let i = 0; i < size; i++) values[i] = (2 * random.uniform() - 1) * limit;
    return values;
  }
  // A mean of the inputs, with each weight disturbed by noise of the same size.
  if (scheme === 'mean') return values.map(() => (1 + random.normal()) / fanIn);
  const sigma = scheme === 'normal' ? deviation : Math.sqrt(2 / fanIn);
  for (let i = 0; i < size; i++) values[i] = random.normal() * sigma;
  return values;
}

/** Fan-in and fan-out of filters [height, width, in, out] or matrices [in, out]. */
function fans(shape: readonly number[], depthwise: boolean): [fanIn: number, fanOut: number] {
  if (shape.length < 2) return [shape[0] ?? 1, shape[0] ?? 1];
  const window = shape.slice(0, -2).reduce((product, n) => product * n, 1);
  if (depthwise) return [window, window * shape.at(-1)!];
  return [window * shape.at(-2)!, window * shape.at(-1)!];
}
