import type { Graph, Node } from '../../../graph/types.ts';
import type { Rule } from './context.ts';
import { elementwiseRules } from './elementwise.ts';
import { linearRules } from './linear.ts';
import { normRules } from './norm.ts';
import { reduceRules } from './reduce.ts';
import { isMaxPool, shapeRules } from './shape.ts';

/** Lowering rule of each op. */
export const rules: Readonly<Record<string, Rule>> = {
  ...elementwiseRules,
  ...reduceRules,
  ...shapeRules,
  ...linearRules,
  ...normRules,
};

/** Operator set that a graph needs: a Pad names its axes from 18 on. */
export function neededOpset({ nodes }: Graph): number {
  const pooled = new Set(nodes.filter(isMaxPool).map(({ inputs }) => inputs[0]));
  const isNew = ({ op, outputs }: Node): boolean => op === 'BitwiseAnd' || (op === 'Pad' && pooled.has(outputs[0]));
  return nodes.some(isNew) ? 18 : 0;
}
