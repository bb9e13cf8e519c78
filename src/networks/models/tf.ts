import * as core from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';

/**
 * What a module of the user builds its model with, as the `tf` of the package @tensorflow/tfjs. It is handed over because a
 * model made by another copy of tfjs, such as one that lies beside the module, cannot be trained here.
 */
export const tf: Omit<typeof core, keyof typeof layers> & typeof layers = { ...core, ...layers };
