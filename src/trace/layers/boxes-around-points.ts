import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { single } from './types.ts';

interface Config {
  readonly name?: string;
  /** [points, 2] x and y of each point. */
  readonly centres: readonly number[];
  /** [points, 2] width and height that a distance of 1 stands for. */
  readonly cells: readonly number[];
}

/**
 * Boxes [batch, points, 4] (xmin, ymin, xmax, ymax) from the distances [batch, points, 4] of points to the left, top, right and bottom sides of
 * their boxes: distances · `cells` beside `centres` (Tian et al. 2019, "FCOS"). It has no weights.
 */
export class BoxesAroundPoints extends layers.Layer {
  static readonly className = 'LimbeckBoxesAroundPoints';
  readonly #config: Config;

  constructor(config: Config) {
    super(config);
    this.#config = config;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const { centres, cells } = this.#config;
    const shape: [number, number] = [centres.length / 2, 4];
    const bothWays = (pairs: readonly number[], sign: 1 | -1): number[] => {
      const points = Array.from({ length: pairs.length / 2 }, (_, i) => pairs.slice(2 * i, 2 * i + 2));
      return points.flatMap(([x, y]) => [sign * x!, sign * y!, x!, y!]);
    };
    return tf.tidy(() =>
      tf.add(tf.mul(single(inputs), tf.tensor2d(bothWays(cells, -1), shape)), tf.tensor2d(bothWays(centres, 1), shape)),
    );
  }

  override computeOutputShape(inputShape: (number | null)[]): (number | null)[] {
    return inputShape;
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { centres, cells } = this.#config;
    return { ...super.getConfig(), centres: [...centres], cells: [...cells] };
  }
}

tf.serialization.registerClass(BoxesAroundPoints);
