import type { Program } from '../lower/program.ts';
import { changed } from '../lower/program.ts';
import { fuseActivation } from './activation.ts';
import { channelAxis, foldAffine, weightInputs, withBias } from './affine.ts';
import { foldConstant } from './constant.ts';
import { hardSwish } from './hard-swish.ts';
import { foldPad } from './pad.ts';
import { dropReshape, dropReshapeAroundFullyConnected, moveReshapeDown } from './reshape.ts';
import { rewrite } from './rewrite.ts';

/** Fuses operations where fewer give the same result. */
export function fuse(program: Program): void {
  program.prune();
  rewrite(program, [foldConstant]);
  rewrite(program, [hardSwish]);
  rewrite(program, [dropReshape, moveReshapeDown]);
  rewrite(program, [foldPad]);
  rewrite(program, [foldAffine]);
  rewrite(program, [fuseActivation]);
  rewrite(program, [dropReshapeAroundFullyConnected, dropReshape]);
  program.prune();
  completeBiases(program);
}

/** Convolutions need a bias, zeros if need be; the other layers may leave theirs out. */
function completeBiases(program: Program): void {
  program.operations = program.operations.map((operation) => {
    const axis = channelAxis[operation.op];
    const { bias, filter } = weightInputs(operation.op);
    if (axis === undefined || (operation.inputs[bias] ?? '') !== '') return operation;
    if (operation.op === 'TRANSPOSE_CONV') return changed(operation, { inputs: operation.inputs.slice(0, bias) });
    if (operation.op === 'FULLY_CONNECTED') return operation;
    const channels = program.type(operation.inputs[filter]!).shape[axis] as number;
    return withBias(program, operation, new Float32Array(channels));
  });
}
