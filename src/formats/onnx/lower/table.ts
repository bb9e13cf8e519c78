import type { Rule } from './context.ts';
import { elementwiseRules } from './elementwise.ts';
import { linearRules } from './linear.ts';
import { normRules } from './norm.ts';
import { reduceRules } from './reduce.ts';
import { shapeRules } from './shape.ts';

/** Rules by which each op of the graph is written in ONNX. */
export const rules: Readonly<Record<string, Rule>> = {
  ...elementwiseRules,
  ...reduceRules,
  ...shapeRules,
  ...linearRules,
  ...normRules,
};

/** The operator set that an op needs beyond 17. */
export const neededOpset: Readonly<Record<string, number>> = { BitwiseAnd: 18 };
