import type { Operation, Program } from '../lower/program.ts';
import { changed } from '../lower/program.ts';
import { fuseActivation } from './activation.ts';
import { CHANNEL_AXES, foldAffine, weightInputs, withBias } from './affine.ts';
import { hardSwish } from './hard-swish.ts';
import { foldPad } from './pad.ts';
import { dropReshape, dropReshapeAroundFullyConnected, moveReshapeDown } from './reshape.ts';
import { fuseProgram } from './rewrite.ts';
import type { Limits } from './rewrite.ts';

export interface FuseOptions {
  /** Layers that stay in float in an integer file: they are not fused into layers that do not. */
  readonly keepFloat?: (layer: string) => boolean;
  /** Dense layers without scales will get one for all outputs: factors that differ between outputs are not folded. Default false. */
  readonly oneScale?: boolean;
}

/** Fuses operations into fewer with the same result. */
export function fuse(program: Program, { keepFloat, oneScale = false }: FuseOptions = {}): void {
  const isKept = ({ layer, outputs }: Operation): boolean => keepFloat?.(layer ?? outputs[0]!) === true;
  const limits: Limits = { isApart: (operation, into) => isKept(operation) && !isKept(into), oneScale };
  program.prune();
  fuseProgram(program, [hardSwish], limits);
  fuseProgram(program, [dropReshape, moveReshapeDown]);
  fuseProgram(program, [foldPad]);
  fuseProgram(program, [foldAffine], limits);
  fuseProgram(program, [fuseActivation], limits);
  fuseProgram(program, [dropReshapeAroundFullyConnected, dropReshape]);
  program.prune();
  completeBiases(program);
}

/** Adds zero biases to convolutions, which require one; other layers may omit it. */
function completeBiases(program: Program): void {
  program.operations = program.operations.map((operation) => {
    const axis = CHANNEL_AXES[operation.op];
    const { bias, filter } = weightInputs(operation.op);
    if (axis === undefined || (operation.inputs[bias] ?? '') !== '') return operation;
    if (operation.op === 'TRANSPOSE_CONV') return changed(operation, { inputs: operation.inputs.slice(0, bias) });
    if (operation.op === 'FULLY_CONNECTED') return operation;
    const channels = program.type(operation.inputs[filter]!).shape[axis] as number;
    return withBias(program, operation, new Float32Array(channels));
  });
}
