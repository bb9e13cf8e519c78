import type { BlockedLowering } from '../context.ts';
import type { ElementwiseRule } from '../rules.ts';
import { rules as plainRules } from '../table.ts';
import { conv2dBackpropFilter } from './conv-filter.ts';
import { conv2dBackpropInput, depthwiseBackpropInput } from './conv-input.ts';
import { conv2d } from './conv.ts';
import { Blocked } from './context.ts';
import type { BlockedRule } from './context.ts';
import { depthwise, depthwiseBackpropFilter } from './depthwise.ts';
import { elementwise, reluGrad } from './elementwise.ts';
import { batchNormTrain, batchNormTrainGrad, fusedBatchNorm } from './norm.ts';
import { avgPool, avgPoolGrad, maxPool, maxPoolGrad } from './pool.ts';
import { reductions } from './reduce.ts';
import { shapes } from './shape.ts';

const elementwiseRules = Object.entries(plainRules).flatMap(([op, rule]): [string, BlockedRule][] =>
  'build' in rule ? [[op, (op === 'ReluGrad' ? reluGrad : elementwise)(rule as ElementwiseRule)]] : [],
);

/** Another name for a value. */
const identity: BlockedRule = (node, b) => {
  const x = node.inputs[0]!;
  if (!b.has(x)) return false;
  b.define(node.outputs[0]!, b.get(x)!);
  return true;
};

const blockedRules: Readonly<Record<string, BlockedRule>> = {
  ...Object.fromEntries(elementwiseRules),
  ...reductions,
  ...shapes,
  Identity: identity,
  Conv2D: conv2d,
  Conv2DBackpropInput: conv2dBackpropInput,
  Conv2DBackpropFilter: conv2dBackpropFilter,
  DepthwiseConv2dNative: depthwise,
  DepthwiseConv2dNativeBackpropInput: depthwiseBackpropInput,
  DepthwiseConv2dNativeBackpropFilter: depthwiseBackpropFilter,
  MaxPool: maxPool,
  MaxPoolGrad: maxPoolGrad,
  AvgPool: avgPool,
  AvgPoolGrad: avgPoolGrad,
  BatchNormTrain: batchNormTrain,
  BatchNormTrainGrad: batchNormTrainGrad,
  FusedBatchNorm: fusedBatchNorm,
};

/** Lowering in blocks of `size` channels. */
export function inBlocks(size: number): BlockedLowering {
  return (c) => {
    const b = new Blocked(c, size);
    return (node) => b.absorbed.has(node.outputs[0]!) || (blockedRules[node.op]?.(node, b) ?? false);
  };
}
