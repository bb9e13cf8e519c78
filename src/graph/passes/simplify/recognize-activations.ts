import type { GraphBuilder } from '../../builder.ts';
import type { Graph, Node } from '../../types.ts';
import { removeDeadCode } from './dead-code.ts';
import type { FoundPattern, Match } from '../match.ts';
import { factors, matching, near } from '../match.ts';
import { recognizedReduction } from './recognize-reductions.ts';
import { rewrite } from '../rewrite.ts';

/** A pattern looks at one node, whose operands have names of the new graph. */
type Pattern = (node: Node, match: Match, builder: GraphBuilder) => FoundPattern | undefined;

/** max(x, 0), min(relu(x), 6), clips, and relu6(relu(x)), which Keras' ReLU with a maximum of 6 is. */
const clipped: Pattern = (node, match) => {
  const [x] = node.inputs as [string];
  const { clipValueMin: low, clipValueMax: high } = node.attrs;
  if (node.op === 'ClipByValue' && low === 0 && high === Infinity) return { op: 'Relu', x };
  const positive = match.node(x, 'Relu')?.inputs[0];
  if (node.op === 'ClipByValue' && low === 0 && high === 6) return { op: 'Relu6', x: positive ?? x };
  if (node.op === 'Relu6' && positive !== undefined) return { op: 'Relu6', x: positive };
  const pair = commutative(node, match);
  if (node.op === 'Maximum' && pair?.value === 0) return { op: 'Relu', x: pair.x };
  const relu = node.op === 'Minimum' && pair?.value === 6 ? match.node(pair.x, 'Relu') : undefined;
  return relu === undefined ? undefined : { op: 'Relu6', x: relu.inputs[0]! };
};

/** clip(alpha · x + beta, 0, 1), and relu6(x + 3) / 6. */
const hardSigmoid: Pattern = (node, match) => {
  if (node.op === 'ClipByValue' && node.attrs.clipValueMin === 0 && node.attrs.clipValueMax === 1) {
    const sum = match.withNumber(node.inputs[0]!, 'Add');
    if (sum === undefined) return undefined;
    const { coefficient, values } = factors(sum.x, match);
    return values.length === 1
      ? { op: 'HardSigmoid', x: values[0]!, attrs: { alpha: coefficient, beta: sum.value } }
      : undefined;
  }
  const { coefficient, values } = productOf(node, match);
  const x = values.length === 1 && near(coefficient, 1 / 6) ? shiftedRelu6(values[0]!, match) : undefined;
  return x === undefined ? undefined : { op: 'HardSigmoid', x, attrs: { alpha: 1 / 6, beta: 0.5 } };
};

/** x of relu6(x + 3). */
function shiftedRelu6(name: string, match: Match): string | undefined {
  const relu6 = match.node(name, 'Relu6');
  const sum = relu6 === undefined ? undefined : match.withNumber(relu6.inputs[0]!, 'Add');
  return sum?.value === 3 ? sum.x : undefined;
}

/** x · sigmoid(x), x · hardSigmoid(x), x / 2 · (1 + erf(x / √2)), and its tanh approximation (Hendrycks & Gimpel 2016). */
const gated: Pattern = (node, match) => {
  const { coefficient, values } = productOf(node, match);
  if (values.length !== 2) return undefined;
  for (const [x, gate] of [values, values.toReversed()] as [string, string][]) {
    const sigmoid = match.node(gate, 'Sigmoid');
    if (coefficient === 1 && sigmoid !== undefined && isSame(sigmoid.inputs[0]!, x, match)) return { op: 'Swish', x };
    const hard = match.node(gate, 'HardSigmoid');
    if (
      coefficient === 1 &&
      hard?.inputs[0] === x &&
      near(hard.attrs.alpha as number, 1 / 6) &&
      hard.attrs.beta === 0.5
    )
      return { op: 'HardSwish', x };
    if (near(coefficient, 1 / 6) && shiftedRelu6(gate, match) === x) return { op: 'HardSwish', x };
    const sum = near(coefficient, 0.5) ? match.withNumber(gate, 'Add') : undefined;
    if (sum?.value !== 1) continue;
    const erf = match.node(sum.x, 'Erf');
    if (erf !== undefined && isMultiple(erf.inputs[0]!, x, Math.SQRT1_2, match))
      return { op: 'Gelu', x, attrs: { approximate: false } };
    const tanh = match.node(sum.x, 'Tanh');
    if (tanh !== undefined && isCubic(tanh.inputs[0]!, x, match))
      return { op: 'Gelu', x, attrs: { approximate: true } };
  }
  return undefined;
};

/** tfjs-layers' swish is x · sigmoid(1 · x). */
function isSame(name: string, x: string, match: Match): boolean {
  const { coefficient, values } = factors(name, match);
  return coefficient === 1 && values.length === 1 && values[0] === x;
}

function isMultiple(name: string, x: string, by: number, match: Match): boolean {
  const { coefficient, values } = factors(name, match);
  return values.length === 1 && values[0] === x && near(coefficient, by);
}

/** √(2/π) · (x + 0.044715 · x³) */
function isCubic(name: string, x: string, match: Match): boolean {
  const { coefficient, values } = factors(name, match);
  if (values.length !== 1 || !near(coefficient, Math.sqrt(2 / Math.PI))) return false;
  const cube = match.other(values[0]!, 'Add', x);
  if (cube === undefined) return false;
  const product = factors(cube, match);
  const power = product.values.length === 1 ? match.node(product.values[0]!, 'Pow') : undefined;
  const isCube =
    power === undefined
      ? power3(product.values, x, match)
      : power.inputs[0] === x && match.number(power.inputs[1]!) === 3;
  return isCube && near(product.coefficient, 0.044715);
}

function power3(values: readonly string[], x: string, match: Match): boolean {
  const powers = values.map((value) => (value === x ? 1 : match.node(value, 'Square')?.inputs[0] === x ? 2 : NaN));
  return powers.reduce((sum, power) => sum + power, 0) === 3;
}

/** dy · step(x) is the gradient of relu. */
const reluGradient: Pattern = (node, match) => {
  if (node.op !== 'Multiply') return undefined;
  for (const [dy, mask] of [node.inputs, node.inputs.toReversed()] as [string, string][]) {
    const step = match.node(mask, 'Step');
    if (step?.attrs.alpha === 0) return { op: 'ReluGrad', x: dy, more: [step.inputs[0]!] };
  }
  return undefined;
};

function commutative(node: Node, match: Match): { x: string; value: number } | undefined {
  const [a, b] = node.inputs as [string, string | undefined];
  if (b === undefined) return undefined;
  const [first, second] = [match.number(a), match.number(b)];
  if (second !== undefined) return { x: a, value: second };
  return first === undefined ? undefined : { x: b, value: first };
}

/** The factors of a node that is not in the new graph yet. */
function productOf(node: Node, match: Match): { coefficient: number; values: string[] } {
  if (node.op !== 'Multiply' && node.op !== 'RealDiv') return { coefficient: NaN, values: [] };
  const [a, b] = node.inputs.map((name) => factors(name, match)) as [
    ReturnType<typeof factors>,
    ReturnType<typeof factors>,
  ];
  if (node.op === 'RealDiv')
    return b.values.length === 0
      ? { coefficient: a.coefficient / b.coefficient, values: a.values }
      : { coefficient: NaN, values: [] };
  return { coefficient: a.coefficient * b.coefficient, values: [...a.values, ...b.values] };
}

const PATTERNS: readonly Pattern[] = [clipped, hardSigmoid, gated, reluGradient, recognizedReduction];

/** One op for what tfjs spells as several: activations, log-sum-exp, log-softmax, the gradient of relu. */
export function recognizeActivations(graph: Graph): Graph {
  return removeDeadCode(
    rewrite(graph, (node, builder) => {
      const match = matching(builder);
      for (const pattern of PATTERNS) {
        const found = pattern(node, match, builder);
        const inputs = found === undefined ? [] : [found.x, ...(found.more ?? [])];
        if (found === undefined || !keepsType(found, inputs, node, graph, builder)) continue;
        return builder.node(found.op, inputs, found.attrs ?? {}, { layer: node.layer });
      }
      return undefined;
    }),
  );
}

/** Broadcasting may have made the spelled-out result larger than the operand. */
function keepsType(
  found: FoundPattern,
  inputs: readonly string[],
  node: Node,
  graph: Graph,
  builder: GraphBuilder,
): boolean {
  const before = graph.types.get(node.outputs[0]!)!;
  const after = builder.inferred(found.op, inputs, found.attrs ?? {});
  return after.dtype === before.dtype && after.shape.join() === before.shape.join();
}
