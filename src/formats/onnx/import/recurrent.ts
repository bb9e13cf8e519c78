import type { Dim } from '../../../graph/types.ts';
import type { OnnxNode } from '../model.ts';
import { attr, expectInt, intAttr } from './attrs.ts';
import { FIXED_BATCH } from './hints.ts';
import type { Import, Importer } from './context.ts';

const ACTIVATIONS: Readonly<Record<string, string>> = { sigmoid: 'Sigmoid', tanh: 'Tanh', relu: 'Relu' };

/** Weights and functions of one direction of a layer: each matrix [gates · hidden, ...], each bias [gates · hidden]. */
interface Cell {
  readonly recurrence: string;
  readonly recurrentBias: string | undefined;
  readonly hidden: number;
  readonly activations: readonly string[];
}

/** State before the first step: undefined for zeros. */
type State = readonly (string | undefined)[];

/** One step: from x · Wᵀ + the bias of W [batch, gates · hidden] and the state to the next state, hidden values first. */
type Step = (c: Import, cell: Cell, x: string, state: State) => string[];

/** h · Rᵀ + the bias of R. */
function recurrent(c: Import, { recurrence, recurrentBias }: Cell, h: string | undefined): string | undefined {
  if (h === undefined) return recurrentBias;
  const y = c.op('BatchMatMul', [h, recurrence], { transposeA: false, transposeB: true });
  return recurrentBias === undefined ? y : c.op('Add', [y, recurrentBias]);
}

function sum(c: Import, a: string, b: string | undefined): string {
  return b === undefined ? a : c.op('Add', [a, b]);
}

function gatesOf(c: Import, value: string, hidden: number, count: number): string[] {
  return parts(c, value, new Array<number>(count).fill(hidden));
}

/** Parts of the last axis. */
function parts(c: Import, value: string, sizes: readonly number[]): string[] {
  return c.ops('Split', [value], { axis: c.builder.typeOf(value).shape.length - 1, sizes: [...sizes] });
}

/** Hochreiter & Schmidhuber 1997; the gates lie in the order input, output, forget, cell. */
const lstmStep: Step = (c, cell, x, [h, memory]) => {
  const [gate, candidate, squash] = cell.activations as [string, string, string];
  const { hidden } = cell;
  // Input, output and forget go through the same op side by side.
  const [threeGates, fresh] = parts(c, sum(c, x, recurrent(c, cell, h)), [3 * hidden, hidden]) as [string, string];
  const [input, output, forget] = gatesOf(c, c.op(gate, [threeGates]), hidden, 3) as [string, string, string];
  const added = c.op('Multiply', [input, c.op(candidate, [fresh])]);
  const kept = memory === undefined ? undefined : c.op('Multiply', [forget, memory]);
  const next = sum(c, added, kept);
  return [c.op('Multiply', [output, c.op(squash, [next])]), next];
};

/** Cho et al. 2014; the gates lie in the order update, reset, hidden. */
const gruStep =
  (isLinearFirst: boolean): Step =>
  (c, cell, x, [h]) => {
    const [gate, candidate] = cell.activations as [string, string];
    const { hidden } = cell;
    // Update and reset go through the same ops side by side.
    const halves = (value: string): string[] => parts(c, value, [2 * hidden, hidden]);
    const [xGates, xHidden] = halves(x) as [string, string];
    const rows = halves(c.op('Transpose', [cell.recurrence], { perm: [1, 0] }));
    const biases = cell.recurrentBias === undefined ? [] : halves(cell.recurrentBias);
    const from = (i: number, value: string | undefined): string | undefined => {
      if (value === undefined) return biases[i];
      const y = c.op('BatchMatMul', [value, rows[i]!], { transposeA: false, transposeB: false });
      return sum(c, y, biases[i]);
    };
    const all = isLinearFirst ? recurrent(c, cell, h) : undefined;
    const [pastGates, pastHidden] = all === undefined ? [from(0, h)] : halves(all);
    const [update, reset] = gatesOf(c, c.op(gate, [sum(c, xGates, pastGates)]), hidden, 2) as [string, string];
    const times = (value: string | undefined): string | undefined =>
      value === undefined ? undefined : c.op('Multiply', [reset, value]);
    const past = isLinearFirst ? times(pastHidden) : from(1, times(h));
    const fresh = c.op(candidate, [sum(c, xHidden, past)]);
    // (1 - update) · fresh + update · h
    const share = c.op('Sub', [c.constant(Float32Array.of(1), []), update]);
    const kept = h === undefined ? undefined : c.op('Multiply', [update, h]);
    return [sum(c, c.op('Multiply', [share, fresh]), kept)];
  };

const rnnStep: Step = (c, cell, x, [h]) => [c.op(cell.activations[0]!, [sum(c, x, recurrent(c, cell, h))])];

function activationsOf(node: OnnxNode, c: Import, usual: readonly string[], directions: number): string[][] {
  const given = attr(node, c, 'activations', 'strings')?.map((name) => {
    return (
      ACTIVATIONS[name.toLowerCase()] ??
      c.fail(`its activation ${name} is not known here; expected Sigmoid, Tanh or Relu`)
    );
  });
  if (given !== undefined && given.length !== usual.length * directions)
    c.fail(`it names ${given.length} activations for ${directions} directions of ${usual.length}`);
  return Array.from({ length: directions }, (_, i) => {
    return given?.slice(i * usual.length, (i + 1) * usual.length) ?? [...usual];
  });
}

/** Part of the first axis of a value, without that axis. */
function of(c: Import, value: string, i: number): string {
  const { shape } = c.builder.typeOf(value);
  if (shape[0] === 1) return c.op('Reshape', [value], { shape: shape.slice(1) });
  const part = c.ops('Split', [value], { axis: 0, sizes: new Array<number>(shape[0] as number).fill(1) })[i]!;
  return c.op('Reshape', [part], { shape: shape.slice(1) });
}

/** Every sequence as long as the longest. */
function expectWhole(node: OnnxNode, c: Import, steps: number): void {
  const lengths = node.inputs[4] ?? '';
  if (lengths !== '' && c.ints(lengths, 'sequence_lens').some((length) => length !== steps))
    c.fail('its sequences have lengths of their own; expected the length of its input');
}

/** A recurrent layer, step by step: https://onnx.ai/onnx/operators/onnx__LSTM.html */
const recurrence =
  (gates: number, usual: readonly string[], states: number, stepOf: (node: OnnxNode, c: Import) => Step): Importer =>
  (node, c) => {
    const [x, w, r, b = ''] = node.inputs as [string, string, string, string?];
    const [steps, batch] = c.shapeOf(x) as readonly [Dim, Dim, number];
    if (typeof steps !== 'number')
      return c.fail('over as many steps as the batch has samples; expected a fixed number', FIXED_BATCH);
    const direction = attr(node, c, 'direction', 'string') ?? 'forward';
    const reversed = { forward: [false], reverse: [true], bidirectional: [false, true] }[direction];
    if (reversed === undefined) return c.fail(`its attribute direction is ${direction}, which is not known here`);
    expectInt(node, c, 'layout', 0);
    expectWhole(node, c, steps);
    const hidden = intAttr(node, c, 'hidden_size', c.shapeOf(r)[2] as number);
    const activations = activationsOf(node, c, usual, reversed.length);
    const run = stepOf(node, c);
    const results = reversed.map((isReversed, i) => {
      const half = gates * hidden;
      const bias = b === '' ? [] : c.ops('Split', [of(c, c.plain(b), i)], { axis: 0, sizes: [half, half] });
      const cell = { recurrence: of(c, c.plain(r), i), recurrentBias: bias[1], hidden, activations: activations[i]! };
      const weights = of(c, c.plain(w), i);
      // All steps at once.
      const product = c.op('BatchMatMul', [c.plain(x), weights], { transposeA: false, transposeB: true });
      const fed = sum(c, product, bias[0]);
      const parts = c.ops('Split', [fed], { axis: 0, sizes: new Array<number>(steps).fill(1) });
      let state: State = Array.from({ length: states }, (_, k) => {
        const initial = node.inputs[5 + k] ?? '';
        // A file with a fixed batch stores a zero for each of its samples.
        const isZero = c.knownOf(initial)?.values.every((value) => value === 0) ?? initial === '';
        return isZero ? undefined : of(c, c.plain(initial), i);
      });
      const given: string[] = [];
      for (let step = 0; step < steps; step++) {
        const at = isReversed ? steps - 1 - step : step;
        const now = c.op('Reshape', [parts[at]!], { shape: [batch, half] });
        state = run(c, cell, now, state);
        given[at] = c.op('Reshape', [state[0]!], { shape: [1, 1, batch, hidden] });
      }
      return { all: c.op('Concat', given, { axis: 0 }), state: state as readonly string[] };
    });
    const join = (values: readonly string[], axis: number): string =>
      values.length === 1 ? values[0]! : c.op('Concat', values, { axis });
    c.define(node.outputs[0] ?? '', {
      plain: join(
        results.map(({ all }) => all),
        1,
      ),
    });
    for (let k = 0; k < states; k++) {
      const last = results.map(({ state }) => c.op('Reshape', [state[k]!], { shape: [1, batch, hidden] }));
      c.define(node.outputs[1 + k] ?? '', { plain: join(last, 0) });
    }
  };

export const recurrentImporters: Readonly<Record<string, Importer>> = {
  LSTM: recurrence(4, ['Sigmoid', 'Tanh', 'Tanh'], 2, (node, c) => {
    expectInt(node, c, 'input_forget', 0);
    return lstmStep;
  }),
  GRU: recurrence(3, ['Sigmoid', 'Tanh'], 1, (node, c) => gruStep(intAttr(node, c, 'linear_before_reset', 0) !== 0)),
  RNN: recurrence(1, ['Tanh'], 1, () => rnnStep),
};
