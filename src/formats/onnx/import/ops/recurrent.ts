import type { Dim } from '../../../../graph/types.ts';
import type { OnnxNode } from '../../model.ts';
import { attr, expectInt, intAttr } from '../attrs.ts';
import { FIXED_BATCH } from '../hints.ts';
import type { Import, Importer } from '../context.ts';

const ACTIVATIONS: Readonly<Record<string, string>> = { sigmoid: 'Sigmoid', tanh: 'Tanh', relu: 'Relu' };

/** Adjacent gates that go through the same ops, so that one product computes them all. */
interface Gates {
  /** [gates · hidden, hidden] */
  readonly recurrence: string;
  /** Bias added to the recurrent product, unless the input's bias includes it. */
  readonly recurrentBias: string | undefined;
}

/** One direction of a layer. */
interface Cell {
  readonly gates: readonly Gates[];
  readonly hidden: number;
  readonly activations: readonly string[];
}

/** State before a step; undefined for zeros. */
type State = readonly (string | undefined)[];

/** One step: takes x · Wᵀ + bias for each group of gates [batch, gates · hidden] and the state, returns the next state, hidden values first. */
type Step = (c: Import, cell: Cell, x: readonly string[], state: State) => string[];

/** A kind of cell. */
interface Kind {
  /** Number of gates of each group, in order. */
  readonly groups: readonly number[];
  /** True if a gate multiplies the recurrent bias of the last group. */
  readonly hasOwnBias?: boolean;
  readonly step: Step;
}

/** h · Rᵀ + an addend. */
function recurrent(c: Import, { recurrence }: Gates, h: string | undefined, added: string): string {
  if (h === undefined) return added;
  return c.op('Add', [c.op('BatchMatMul', [h, recurrence], { transposeA: false, transposeB: true }), added]);
}

function sum(c: Import, a: string, b: string | undefined): string {
  return b === undefined ? a : c.op('Add', [a, b]);
}

/** Splits the last axis. */
function parts(c: Import, value: string, sizes: readonly number[]): string[] {
  return c.ops('Split', [value], { axis: c.builder.typeOf(value).shape.length - 1, sizes: [...sizes] });
}

/** Hochreiter & Schmidhuber 1997; gates in the order input, output, forget, cell. */
const lstm: Kind = {
  groups: [3, 1],
  step: (c, { gates, hidden, activations }, x, [h, memory]) => {
    const [gate, candidate, squash] = activations as [string, string, string];
    const [all, fresh] = gates.map((group, i) => recurrent(c, group, h, x[i]!)) as [string, string];
    const [input, output, forget] = parts(c, c.op(gate, [all]), [hidden, hidden, hidden]) as [string, string, string];
    const added = c.op('Multiply', [input, c.op(candidate, [fresh])]);
    const kept = memory === undefined ? undefined : c.op('Multiply', [forget, memory]);
    const next = sum(c, added, kept);
    return [c.op('Multiply', [output, c.op(squash, [next])]), next];
  },
};

/** Cho et al. 2014; gates in the order update, reset, hidden. */
const gru = (isLinearFirst: boolean): Kind => ({
  groups: [2, 1],
  hasOwnBias: isLinearFirst,
  step: (c, { gates, hidden, activations }, x, [h]) => {
    const [gate, candidate] = activations as [string, string];
    const [both, last] = gates as [Gates, Gates];
    const halves = c.op(gate, [recurrent(c, both, h, x[0]!)]);
    const [update, reset] = parts(c, halves, [hidden, hidden]) as [string, string];
    const times = (value: string | undefined): string | undefined =>
      value === undefined ? undefined : c.op('Multiply', [reset, value]);
    const past = (): string | undefined => {
      if (h === undefined) return last.recurrentBias;
      const product = c.op('BatchMatMul', [h, last.recurrence], { transposeA: false, transposeB: true });
      return sum(c, product, last.recurrentBias);
    };
    const candidates = isLinearFirst ? sum(c, x[1]!, times(past())) : recurrent(c, last, times(h), x[1]!);
    const fresh = c.op(candidate, [candidates]);
    // (1 - update) · fresh + update · h
    const share = c.op('Sub', [c.constant(Float32Array.of(1), []), update]);
    const kept = h === undefined ? undefined : c.op('Multiply', [update, h]);
    return [sum(c, c.op('Multiply', [share, fresh]), kept)];
  },
});

const rnn: Kind = {
  groups: [1],
  step: (c, { gates, activations }, [x], [h]) => [c.op(activations[0]!, [recurrent(c, gates[0]!, h, x!)])],
};

function activationsOf(node: OnnxNode, c: Import, usual: readonly string[], directions: number): string[][] {
  const declaredActivations = attr(node, c, 'activations', 'strings')?.map((name) => {
    return (
      ACTIVATIONS[name.toLowerCase()] ??
      c.fail(`its activation ${name} is not known here; expected Sigmoid, Tanh or Relu`)
    );
  });
  if (declaredActivations !== undefined && declaredActivations.length !== usual.length * directions)
    c.fail(`it names ${declaredActivations.length} activations for ${directions} directions of ${usual.length}`);
  return Array.from({ length: directions }, (_, i) => {
    return declaredActivations?.slice(i * usual.length, (i + 1) * usual.length) ?? [...usual];
  });
}

/** Slice `i` of the first axis, without that axis. */
function of(c: Import, value: string, i: number): string {
  const { shape } = c.builder.typeOf(value);
  if (shape[0] === 1) return c.op('Reshape', [value], { shape: shape.slice(1) });
  const part = c.ops('Split', [value], { axis: 0, sizes: new Array<number>(shape[0] as number).fill(1) })[i]!;
  return c.op('Reshape', [part], { shape: shape.slice(1) });
}

/** True for zeros: stored, for each sample of a fixed batch, or repeated for an open one, of which each layer gets a part. */
function isZero(c: Import, name: string): boolean {
  const known = c.knownOf(name)?.values;
  if (known !== undefined) return known.every((value) => value === 0);
  let value = c.plain(name);
  for (
    let node = c.builder.producerOf(value);
    node !== undefined && PARTS.has(node.op);
    node = c.builder.producerOf(value)
  )
    value = node.inputs[0]!;
  return c.builder.constantOf(value)?.data.every((one: number | bigint) => Number(one) === 0) ?? false;
}

const PARTS: ReadonlySet<string> = new Set(['BroadcastTo', 'Slice', 'Split', 'Reshape']);

/** Fails unless every sequence has the full length. */
function expectWhole(node: OnnxNode, c: Import, steps: number): void {
  const lengths = node.inputs[4] ?? '';
  if (lengths !== '' && c.ints(lengths, 'sequence_lens').some((length) => length !== steps))
    c.fail('its sequences have lengths of their own; expected the length of its input');
}

/** Splits weights or biases [gates · hidden, ...] by group of gates. */
function byGroup(c: Import, value: string, groups: readonly number[], hidden: number): string[] {
  return groups.length === 1
    ? [value]
    : c.ops('Split', [value], { axis: 0, sizes: groups.map((count) => count * hidden) });
}

/** A recurrent layer, unrolled: https://onnx.ai/onnx/operators/onnx__LSTM.html */
const recurrence =
  (usual: readonly string[], states: number, kindOf: (node: OnnxNode, c: Import) => Kind): Importer =>
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
    const kind = kindOf(node, c);
    const { groups, hasOwnBias, step: run } = kind;
    const results = reversed.map((isReversed, i) => {
      const rows = groups.reduce((all, count) => all + count) * hidden;
      const biases = b === '' ? [] : c.ops('Split', [of(c, c.plain(b), i)], { axis: 0, sizes: [rows, rows] });
      const [inputBias, pastBias] = biases.map((bias) => byGroup(c, bias, groups, hidden));
      const [matrix, past] = [w, r].map((weights) => of(c, c.plain(weights), i)) as [string, string];
      const recurrences = byGroup(c, past, groups, hidden);
      const hasOwn = (group: number): boolean => hasOwnBias === true && group === groups.length - 1;
      const gates = recurrences.map((matrix, group) => ({
        recurrence: matrix,
        recurrentBias: hasOwn(group) ? pastBias?.[group] : undefined,
      }));
      const cell = { gates, hidden, activations: activations[i]! };
      // Products of the inputs of all steps.
      const fed = byGroup(c, matrix, groups, hidden).map((weights, group) => {
        const product = c.op('BatchMatMul', [c.plain(x), weights], { transposeA: false, transposeB: true });
        const bias = inputBias?.[group];
        const added = bias === undefined || hasOwn(group) ? bias : c.op('Add', [bias, pastBias![group]!]);
        const values = c.ops('Split', [sum(c, product, added)], { axis: 0, sizes: new Array<number>(steps).fill(1) });
        return values.map((value) => c.op('Reshape', [value], { shape: [batch, groups[group]! * hidden] }));
      });
      let state: State = Array.from({ length: states }, (_, k) => {
        const initial = node.inputs[5 + k] ?? '';
        return initial === '' || isZero(c, initial) ? undefined : of(c, c.plain(initial), i);
      });
      const isPlain =
        c.isTrained &&
        kind === lstm &&
        activations[i]!.join() === usual.join() &&
        state.every((initial) => initial === undefined);
      const passed = (y: string, isWhole: boolean): string => {
        if (!isPlain) return y;
        const bias = biases.length === 0 ? '' : c.op('Add', biases);
        return c.op('Lstm', [y, c.plain(x), matrix, past, bias], { reversed: isReversed, whole: isWhole });
      };
      const given: string[] = [];
      for (let step = 0; step < steps; step++) {
        const at = isReversed ? steps - 1 - step : step;
        const now = fed.map((values) => values[at]!);
        state = run(c, cell, now, state);
        // Training computes an LSTM's hidden values as a whole.
        if (step === steps - 1) state = [passed(state[0]!, false), ...state.slice(1)];
        given[at] = c.op('Reshape', [state[0]!], { shape: [1, 1, batch, hidden] });
      }
      return { all: passed(c.op('Concat', given, { axis: 0 }), true), state: state as readonly string[] };
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
  LSTM: recurrence(['Sigmoid', 'Tanh', 'Tanh'], 2, (node, c) => {
    expectInt(node, c, 'input_forget', 0);
    return lstm;
  }),
  GRU: recurrence(['Sigmoid', 'Tanh'], 1, (node, c) => gru(intAttr(node, c, 'linear_before_reset', 0) !== 0)),
  RNN: recurrence(['Tanh'], 1, () => rnn),
};
