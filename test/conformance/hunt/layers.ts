import type { Model } from '../../../src/formats/onnx/model.ts';
import { places } from './places.ts';
import { rows, sequences, vectors } from './rows.ts';
import { Misfit, Sketch } from './sketch.ts';
import { channelled, values } from './values.ts';
import { pictures, windows } from './windows.ts';

/** Nodes behind the value `x`, and the name of what they give; throws a `Misfit` where they do not fit it. */
export type Layer = (g: Sketch, x: string) => string;

export const CLASSES = 5;

const common = [...values, ...places, ...rows];

/** By the number of axes of what they read. */
const LAYERS: Readonly<Record<number, readonly Layer[]>> = {
  2: [...vectors, ...common],
  3: [...sequences, ...windows, ...channelled, ...common],
  4: [...windows, ...windows, ...pictures, ...channelled, ...common],
};

/** A random classifier: an input `x`, a first layer with weights, up to six layers of any kind, and `logits`; now and then an inner value is an output too. */
export function randomModel(seed: number): Model {
  // ONNX Runtime refuses some models whose nodes it has run one after another: what it infers is not what it computes.
  for (let draw = 0; draw < 100; draw++) {
    const model = drawn(new Sketch(seed, draw));
    if (model !== undefined) return model;
  }
  throw new Error(`no model fits for seed ${seed}`);
}

function drawn(g: Sketch): Model | undefined {
  const rank = g.pick(4, 4, 3, 3, 2);
  const sample = {
    4: () => [g.pick(1, 2, 3, 4), g.int(4, 9), g.int(5, 9)],
    3: () => [g.int(2, 6), g.int(2, 6)],
    2: () => [g.int(2, 8)],
  }[rank]();
  let x = g.input(sample);
  const first = { 4: windows[0]!, 3: rows[0]!, 2: vectors[0]! }[rank];
  x = tried(g, () => first(g, x));
  const inner: string[] = [];
  for (let left = g.int(1, 6); left > 0; left--) {
    const read = x;
    x = tried(g, () => {
      const y = g.pick(...LAYERS[g.shape(read).length]!)(g, read);
      const shape = g.shape(y);
      g.fits(shape.length in LAYERS && shape[0] === g.shape('x')[0]);
      return y;
    });
    inner.push(x);
  }
  const logits = g.attempt(() => {
    if (g.shape(x).length > 2) x = g.op('Flatten', [x]);
    const weights = g.plain([CLASSES, g.shape(x)[1]!]);
    return g.op('Gemm', [x, weights, g.plain([CLASSES], { scale: 0.3 })], { transB: 1 });
  });
  if (logits === undefined) return undefined;
  g.nodes.push({ ...g.nodes.pop()!, outputs: ['logits'] });
  const more = g.chance(0.15) ? [g.pick(...inner)] : [];
  return g.model([
    { name: 'logits', dtype: 'float32', dims: [g.isOpen ? 'N' : g.shape(logits)[0]!, CLASSES] },
    ...more.map((name) => ({ name, dtype: 'float32' as const })),
  ]);
}

function tried(g: Sketch, layer: () => string): string {
  for (let times = 0; times < 100; times++) {
    const y = g.attempt(layer);
    if (y !== undefined) return y;
  }
  throw new Misfit('no layer fits');
}
