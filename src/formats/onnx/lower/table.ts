import type { Rule } from './context.ts';
import { elementwiseRules } from './elementwise.ts';
import { linearRules } from './linear.ts';
import { normRules } from './norm.ts';
import { reduceRules } from './reduce.ts';
import { shapeRules } from './shape.ts';

/** Lowering rule of each op. */
export const rules: Readonly<Record<string, Rule>> = {
  ...elementwiseRules,
  ...reduceRules,
  ...shapeRules,
  ...linearRules,
  ...normRules,
};

/** Operator set that an op needs, if later than 17. */
export const neededOpset: Readonly<Record<string, number>> = { BitwiseAnd: 18 };
