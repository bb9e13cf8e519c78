import * as core from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';

/**
 * `tf` for the model of a user's module, with the content of the package @tensorflow/tfjs. It is handed over because a model made by
 * another copy of tfjs, such as one that lies beside the module, cannot be trained here.
 */
export const tf: Omit<typeof core, keyof typeof layers> & typeof layers = { ...core, ...layers };
