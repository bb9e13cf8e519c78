import * as core from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';

/**
 * The `tf` passed to a user's module, with the content of the package @tensorflow/tfjs: a model made by another copy of tfjs, such as one installed
 * beside the module, could not be trained here.
 */
export const tf: Omit<typeof core, keyof typeof layers> & typeof layers = { ...core, ...layers };
